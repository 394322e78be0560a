/**
 * From the events of a transcript to what a person sees: Claude Code's stream-json, and the
 * runner's own notes. A fold without side effects; items that an event does not touch stay the
 * same objects, so the page draws only what is new.
 */
import type { TranscriptEvent } from "../api/views";
import type { Base, Body, Item, ItemOf, Timeline, ToolResult } from "./items";
import { type Fields, fieldsOf, numberAt, partAt, partsAt, textAt } from "./json";
import { sharesOf } from "./models";
import { afterPiece, isLive, withoutLive } from "./pieces";

type Common = Omit<Base, "key">;

const PICTURES = /^image\/(png|jpeg|gif|webp)$/;
/** What the runner and Claude Code say about themselves; head and end tell it better. */
const OWN_WORDS = /^(heliostat-runner:|\[claude-code:)/;

export function afterEvents(timeline: Timeline, events: readonly TranscriptEvent[]): Timeline {
  return events.reduce(afterEvent, timeline);
}

export function afterEvent(timeline: Timeline, event: TranscriptEvent): Timeline {
  switch (textAt(event, "type")) {
    case "assistant":
      return afterAnswer(timeline, event);
    case "user":
      return afterToolResults(timeline, event);
    case "stream_event":
      return afterPiece(timeline, event);
    case "system":
      return afterSystem(timeline, event);
    case "result":
      return afterResult(timeline, event);
    case "heliostat":
      return afterNote(timeline, event);
    default:
      return timeline;
  }
}

function add(timeline: Timeline, common: Common, body: Body): Timeline {
  const made = timeline.made + 1;
  const item: Item = { ...common, key: `item:${made}`, ...body };
  return { ...timeline, made, items: [...timeline.items, item] };
}

function base(event: Fields): Common {
  return {
    parent: textAt(event, "parent_tool_use_id") || null,
    time: textAt(event, "timestamp") || textAt(event, "time") || null,
  };
}

function afterAnswer(timeline: Timeline, event: Fields): Timeline {
  const message = partAt(event, "message");
  let after = timeline;
  for (const block of partsAt(message, "content")) {
    const body = bodyOfBlock(block);
    if (!body) continue;
    after = add(withoutLive(after, textAt(message, "id"), body.kind), base(event), body);
  }
  return after;
}

function bodyOfBlock(block: Fields): Body | null {
  switch (textAt(block, "type")) {
    case "text":
      return saying("text", textAt(block, "text"));
    case "thinking":
      return saying("thinking", textAt(block, "thinking"));
    case "tool_use":
    case "server_tool_use":
      return {
        kind: "tool",
        id: textAt(block, "id"),
        name: textAt(block, "name"),
        input: partAt(block, "input"),
        draft: "",
        result: null,
        endTime: null,
      };
    default:
      return null;
  }
}

function saying(kind: "text" | "thinking", text: string): Body | null {
  return text.trim() ? { kind, text, isStreaming: false } : null;
}

function afterToolResults(timeline: Timeline, event: Fields): Timeline {
  const { time } = base(event);
  return partsAt(partAt(event, "message"), "content")
    .filter((block) => textAt(block, "type") === "tool_result")
    .reduce((after, block) => withResult(after, block, time), timeline);
}

function withResult(timeline: Timeline, block: Fields, endTime: string | null): Timeline {
  const id = textAt(block, "tool_use_id");
  const items = timeline.items.map((item) =>
    item.kind === "tool" && item.id === id && !item.result
      ? { ...item, result: toolResult(block), endTime }
      : item,
  );
  return { ...timeline, items };
}

function toolResult(block: Fields): ToolResult {
  const content = block.content;
  const parts = partsAt(block, "content");
  const text =
    typeof content === "string" ? content : parts.map((part) => textAt(part, "text")).join("\n");
  return {
    text: text.trim(),
    pictures: parts.flatMap(pictureOf),
    isError: block.is_error === true,
  };
}

function pictureOf(part: Fields) {
  const source = partAt(part, "source");
  const type = textAt(source, "media_type");
  if (textAt(part, "type") !== "image" || !PICTURES.test(type)) return [];
  return [{ address: `data:${type};base64,${textAt(source, "data")}` }];
}

function afterSystem(timeline: Timeline, event: Fields): Timeline {
  const common = base(event);
  switch (textAt(event, "subtype")) {
    case "init": {
      const tools = Array.isArray(event.tools)
        ? event.tools.filter((tool) => typeof tool === "string")
        : [];
      const begun: Timeline = { ...timeline, folder: textAt(event, "cwd") };
      return add(begun, common, { kind: "begin", model: textAt(event, "model"), tools });
    }
    case "api_retry":
      return add(timeline, common, { kind: "note", note: "retry", text: textAt(event, "error") });
    case "compact_boundary":
      return add(timeline, common, { kind: "note", note: "compacted", text: "" });
    default:
      return timeline;
  }
}

function afterResult(timeline: Timeline, event: Fields): Timeline {
  const text = textAt(event, "result").trim();
  const items = withoutLast(
    timeline.items.filter((item) => !isLive(item)),
    text,
  );
  const models = [...timeline.models, ...sharesOf(event)];
  return add({ ...timeline, items, models, streaming: null }, base(event), {
    kind: "result",
    isError: event.is_error === true,
    text,
    turns: numberAt(event, "num_turns"),
    ms: numberAt(event, "duration_ms"),
  });
}

/** The result repeats the last words: they are shown once. */
function withoutLast(items: readonly Item[], text: string): readonly Item[] {
  const last = items.at(-1);
  const isRepeated = last?.kind === "text" && last.text.trim() === text;
  return isRepeated ? items.slice(0, -1) : items;
}

function afterNote(timeline: Timeline, event: Fields): Timeline {
  const common = base(event);
  const text = textAt(event, "text") || textAt(event, "message");
  switch (textAt(event, "subtype")) {
    case "output":
      return OWN_WORDS.test(text) ? timeline : withLine(timeline, event, text);
    case "session":
      return event.resumed === true
        ? add(timeline, common, { kind: "note", note: "resumed", text: "" })
        : timeline;
    case "stalled":
      return add(timeline, common, { kind: "note", note: "stalled", text });
    case "lost":
      return isLost(event)
        ? withLost(timeline, lostIn(event))
        : add(timeline, common, { kind: "note", note: "noResult", text: textAt(event, "why") });
    case "files":
      return withLeftOut(timeline, event);
    case "delivery_ended":
      return add(timeline, common, {
        kind: "note",
        note: "undelivered",
        text: textAt(event, "why"),
      });
    case "cut":
      return add(timeline, common, { kind: "note", note: "cut", text: textAt(event, "head") });
    case "end":
      return add(timeline, common, { kind: "end", reason: textAt(event, "reason"), text });
    case "start":
    case "exit":
      return timeline;
    default:
      return text ? add(timeline, common, { kind: "note", note: "said", text }) : timeline;
  }
}

/** Files that were kept are listed on the page; the transcript tells of the others. */
function withLeftOut(timeline: Timeline, event: Fields): Timeline {
  const why = textAt(event, "why");
  if (why) return add(timeline, base(event), { kind: "note", note: "noFiles", text: why });
  const named = partsAt(event, "leftOut").map(
    (file) => `${textAt(file, "path")}: ${textAt(file, "why")}`,
  );
  const more = (numberAt(event, "leftOutCount") ?? 0) - named.length;
  const lines = more > 0 ? [...named, `… +${more}`] : named;
  if (lines.length === 0) return timeline;
  return add(timeline, base(event), { kind: "note", note: "leftOut", text: lines.join("\n") });
}

/** Whether an event stands for others that nobody has any more: only such a one counts them. */
export function isLost(event: Fields): boolean {
  return (
    textAt(event, "type") === "heliostat" &&
    textAt(event, "subtype") === "lost" &&
    numberAt(event, "count") !== null
  );
}

export function lostIn(event: Fields): number {
  return numberAt(event, "count") ?? 1;
}

export function withLost(timeline: Timeline, count: number): Timeline {
  return add(
    timeline,
    { parent: null, time: null },
    { kind: "note", note: "lost", text: `${count}` },
  );
}

/** Lines of one stream that follow each other are one block. */
function withLine(timeline: Timeline, event: Fields, line: string): Timeline {
  const stream = textAt(event, "stream") === "stderr" ? "stderr" : "stdout";
  const last = timeline.items.at(-1);
  if (last?.kind !== "output" || last.stream !== stream) {
    return add(timeline, base(event), { kind: "output", stream, lines: [line] });
  }
  const longer: ItemOf<"output"> = { ...last, lines: [...last.lines, line] };
  return { ...timeline, items: [...timeline.items.slice(0, -1), longer] };
}

/** A path as the agent's person knows it: without the working folder. */
export function relative(path: string, folder: string): string {
  return folder && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}

/** What a call is about, in one line. */
const TELLING = [
  "file_path",
  "notebook_path",
  "command",
  "pattern",
  "url",
  "query",
  "path",
  "description",
  "prompt",
];

export function subjectOf(input: Fields, folder: string): string {
  for (const name of TELLING) {
    const text = textAt(input, name);
    if (text) return relative(text, folder).replace(/\s+/g, " ").trim();
  }
  return Object.keys(fieldsOf(input)).length > 0 ? JSON.stringify(input) : "";
}
