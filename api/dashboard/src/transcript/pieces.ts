/**
 * Answers while they are written (`stream_event`): items whose key begins with `live:`. The whole
 * message that follows takes their place, so nothing is shown twice and nothing hangs on pieces.
 */
import type { Draft, Item } from "./items";
import { type Fields, numberAt, partAt, textAt } from "./json";

const LIVE = "live:";

function isLive(item: Item): boolean {
  return item.key.startsWith(LIVE);
}

export function writePiece(draft: Draft, event: Fields): void {
  const piece = partAt(event, "event");
  switch (textAt(piece, "type")) {
    case "message_start":
      dropAllLive(draft);
      draft.streaming = textAt(partAt(piece, "message"), "id");
      break;
    case "content_block_start":
      beginBlock(draft, event, piece);
      break;
    case "content_block_delta":
      growBlock(draft, piece);
      break;
    case "message_stop":
      dropAllLive(draft);
      draft.streaming = null;
  }
}

/** Before the whole block is added: its pieces go, the oldest of that kind. */
export function dropLive(draft: Draft, message: string, kind: Item["kind"]): void {
  if (draft.streaming !== message) return;
  const at = draft.items.findIndex((item) => isLive(item) && item.kind === kind);
  if (at >= 0) draft.items.splice(at, 1);
}

export function dropAllLive(draft: Draft): void {
  if (draft.items.some(isLive)) draft.items = draft.items.filter((item) => !isLive(item));
}

function keyOf(draft: Draft, piece: Fields): string {
  return `${LIVE}${draft.streaming}:${numberAt(piece, "index") ?? 0}`;
}

function beginBlock(draft: Draft, event: Fields, piece: Fields): void {
  const block = partAt(piece, "content_block");
  const common = {
    key: keyOf(draft, piece),
    parent: textAt(event, "parent_tool_use_id") || null,
    time: null,
  };
  const item = liveItem(common, block);
  if (item) draft.items.push(item);
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

function growBlock(draft: Draft, piece: Fields): void {
  const key = keyOf(draft, piece);
  const at = draft.items.findLastIndex((item) => item.key === key);
  const item = draft.items[at];
  if (item) draft.items[at] = grown(item, partAt(piece, "delta"));
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
