/**
 * Answers while they are written (`stream_event`): items whose key begins with `live:`. The whole
 * message that follows takes their place, so nothing is shown twice and nothing hangs on pieces.
 */
import type { Item, Timeline } from "./items";
import { type Fields, numberAt, partAt, textAt } from "./json";

const LIVE = "live:";

export function isLive(item: Item): boolean {
  return item.key.startsWith(LIVE);
}

export function afterPiece(timeline: Timeline, event: Fields): Timeline {
  const piece = partAt(event, "event");
  switch (textAt(piece, "type")) {
    case "message_start":
      return { ...withoutAllLive(timeline), streaming: textAt(partAt(piece, "message"), "id") };
    case "content_block_start":
      return beginBlock(timeline, event, piece);
    case "content_block_delta":
      return growBlock(timeline, piece);
    case "message_stop":
      return { ...withoutAllLive(timeline), streaming: null };
    default:
      return timeline;
  }
}

/** Before the whole block is added: its pieces go, the oldest of that kind. */
export function withoutLive(timeline: Timeline, message: string, kind: Item["kind"]): Timeline {
  if (timeline.streaming !== message) return timeline;
  const at = timeline.items.findIndex((item) => isLive(item) && item.kind === kind);
  return at < 0 ? timeline : { ...timeline, items: timeline.items.toSpliced(at, 1) };
}

function withoutAllLive(timeline: Timeline): Timeline {
  if (!timeline.items.some(isLive)) return timeline;
  return { ...timeline, items: timeline.items.filter((item) => !isLive(item)) };
}

function keyOf(timeline: Timeline, piece: Fields): string {
  return `${LIVE}${timeline.streaming}:${numberAt(piece, "index") ?? 0}`;
}

function beginBlock(timeline: Timeline, event: Fields, piece: Fields): Timeline {
  const block = partAt(piece, "content_block");
  const common = {
    key: keyOf(timeline, piece),
    parent: textAt(event, "parent_tool_use_id") || null,
    time: null,
  };
  const item = liveItem(common, block);
  return item ? { ...timeline, items: [...timeline.items, item] } : timeline;
}

function liveItem(common: Pick<Item, "key" | "parent" | "time">, block: Fields): Item | null {
  switch (textAt(block, "type")) {
    case "text":
      return { ...common, kind: "text", text: textAt(block, "text"), isStreaming: true };
    case "thinking":
      return { ...common, kind: "thinking", text: textAt(block, "thinking"), isStreaming: true };
    case "tool_use":
      return {
        ...common,
        kind: "tool",
        id: textAt(block, "id"),
        name: textAt(block, "name"),
        input: {},
        draft: "",
        result: null,
        endTime: null,
      };
    default:
      return null;
  }
}

function growBlock(timeline: Timeline, piece: Fields): Timeline {
  const key = keyOf(timeline, piece);
  const delta = partAt(piece, "delta");
  const items = timeline.items.map((item) => (item.key === key ? grown(item, delta) : item));
  return { ...timeline, items };
}

function grown(item: Item, delta: Fields): Item {
  switch (item.kind) {
    case "text":
      return { ...item, text: item.text + textAt(delta, "text") };
    case "thinking":
      return { ...item, text: item.text + textAt(delta, "thinking") };
    case "tool":
      return { ...item, draft: item.draft + textAt(delta, "partial_json") };
    default:
      return item;
  }
}
