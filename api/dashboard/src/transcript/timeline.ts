/**
 * From the events of a transcript to what a person sees: Claude Code's stream-json, and the
 * runner's own notes. A fold without side effects; items that an event does not touch stay the
 * same objects, so the page draws only what is new. Within one call a draft is written on: a
 * thousand events copy the list of items once.
 */

import type { TranscriptEvent } from "../api/views";
import { printJson } from "../lib/json";
import {
  add,
  type Body,
  type Common,
  type Draft,
  draftOf,
  type ItemOf,
  LINES_IN_BLOCK,
  SIZE_OF_BLOCK,
  type Timeline,
  type ToolResult,
} from "./items";
import { type Fields, fieldsOf, numberAt, partAt, partsAt, textAt } from "./json";
import { logEvent, logLost } from "./log";
import { isLost, lostIn } from "./lost";
import { sharesOf } from "./models";
import { dropAllLive, dropLive, writePiece } from "./pieces";

const PICTURES = /^image\/(png|jpeg|gif|webp)$/;
/** What the runner and Claude Code say about themselves; head and end tell it better. */
const OWN_WORDS = /^(heliostat-runner:|\[claude-code:)/;

export function afterEvents(timeline: Timeline, events: readonly TranscriptEvent[]): Timeline {
  if (events.length === 0) return timeline;
  const draft = draftOf(timeline);
  for (const event of events) writeEvent(draft, event);
  return draft;
}

export function afterEvent(timeline: Timeline, event: TranscriptEvent): Timeline {
  return afterEvents(timeline, [event]);
}

function writeEvent(draft: Draft, event: TranscriptEvent): void {
  switch (textAt(event, "type")) {
    case "assistant":
      writeAnswer(draft, event);
      break;
    case "user":
      writeToolResults(draft, event);
      break;
    case "stream_event":
      writePiece(draft, event);
      break;
    case "system":
      writeSystem(draft, event);
      break;
    case "result":
      writeResult(draft, event);
      break;
    case "heliostat":
      logEvent(draft, event);
      writeNote(draft, event);
      break;
  }
}

function base(event: Fields): Common {
  return {
    parent: textAt(event, "parent_tool_use_id") || null,
    time: textAt(event, "timestamp") || textAt(event, "time") || null,
  };
}

function writeAnswer(draft: Draft, event: Fields): void {
  const message = partAt(event, "message");
  for (const block of partsAt(message, "content")) {
    const body = bodyOfBlock(block);
    if (!body) continue;
    dropLive(draft, textAt(message, "id"), body.kind);
    add(draft, base(event), body);
  }
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

function writeToolResults(draft: Draft, event: Fields): void {
  const { time } = base(event);
  for (const block of partsAt(partAt(event, "message"), "content")) {
    if (textAt(block, "type") === "tool_result") writeToolResult(draft, block, time);
  }
}

/** A result follows its call closely: it is looked for from the end. */
function writeToolResult(draft: Draft, block: Fields, endTime: string | null): void {
  const id = textAt(block, "tool_use_id");
  const at = draft.items.findLastIndex((item) => item.kind === "tool" && item.id === id);
  const call = draft.items[at];
  if (call?.kind !== "tool" || call.result) return;
  draft.items[at] = { ...call, result: toolResult(block), endTime };
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

function writeSystem(draft: Draft, event: Fields): void {
  const common = base(event);
  switch (textAt(event, "subtype")) {
    case "init": {
      const tools = Array.isArray(event.tools)
        ? event.tools.filter((tool) => typeof tool === "string")
        : [];
      draft.folder = textAt(event, "cwd");
      add(draft, common, { kind: "begin", model: textAt(event, "model"), tools });
      break;
    }
    case "api_retry":
      add(draft, common, { kind: "note", note: "retry", text: textAt(event, "error") });
      break;
    case "compact_boundary":
      add(draft, common, { kind: "note", note: "compacted", text: "" });
      break;
  }
}

function writeResult(draft: Draft, event: Fields): void {
  const text = textAt(event, "result").trim();
  dropAllLive(draft);
  dropRepeated(draft, text);
  draft.models = [...draft.models, ...sharesOf(event)];
  draft.streaming = null;
  add(draft, base(event), {
    kind: "result",
    isError: event.is_error === true,
    text,
    turns: numberAt(event, "num_turns"),
    ms: numberAt(event, "duration_ms"),
  });
}

/** The result repeats the last words: they are shown once. */
function dropRepeated(draft: Draft, text: string): void {
  const last = draft.items.at(-1);
  if (last?.kind === "text" && last.text.trim() === text) draft.items.pop();
}

function writeNote(draft: Draft, event: Fields): void {
  const common = base(event);
  const text = textAt(event, "text") || textAt(event, "message");
  switch (textAt(event, "subtype")) {
    case "output":
      if (!OWN_WORDS.test(text)) writeLine(draft, event, text);
      break;
    case "session":
      if (event.resumed === true) add(draft, common, { kind: "note", note: "resumed", text: "" });
      break;
    case "stalled":
      add(draft, common, { kind: "note", note: "stalled", text });
      break;
    case "lost":
      isLost(event)
        ? writeLost(draft, lostIn(event))
        : add(draft, common, { kind: "note", note: "noResult", text: textAt(event, "why") });
      break;
    case "files":
      writeLeftOut(draft, event);
      break;
    case "delivery_ended":
      add(draft, common, {
        kind: "note",
        note: "undelivered",
        text: textAt(event, "why"),
      });
      break;
    case "cut":
      add(draft, common, {
        kind: "cut",
        bytes: numberAt(event, "bytes"),
        head: headOf(textAt(event, "head")),
      });
      break;
    case "end":
      add(draft, common, { kind: "end", reason: textAt(event, "reason"), text });
      break;
    case "start":
    case "exit":
      break;
    default:
      if (text) add(draft, common, { kind: "note", note: "said", text });
  }
}

const SAID = /"(?:text|content)": ?"((?:[^"\\]|\\.)*)/;

/** The beginning of what an event said, out of the beginning of its JSON; else that as it is. */
function headOf(json: string): string {
  const said = SAID.exec(json)?.[1];
  if (!said) return json;
  try {
    return String(JSON.parse(`"${said}"`));
  } catch {
    return json;
  }
}

/** Files that were kept are listed on the page; the transcript tells of the others. */
function writeLeftOut(draft: Draft, event: Fields): void {
  const why = textAt(event, "why");
  if (why) {
    add(draft, base(event), { kind: "note", note: "noFiles", text: why });
    return;
  }
  const named = partsAt(event, "leftOut").map(
    (file) => `${textAt(file, "path")}: ${textAt(file, "why")}`,
  );
  const more = (numberAt(event, "leftOutCount") ?? 0) - named.length;
  const lines = more > 0 ? [...named, `… +${more}`] : named;
  if (lines.length === 0) return;
  add(draft, base(event), { kind: "note", note: "leftOut", text: lines.join("\n") });
}

export function withLost(timeline: Timeline, count: number): Timeline {
  const draft = draftOf(timeline);
  logLost(draft, count);
  writeLost(draft, count);
  return draft;
}

function writeLost(draft: Draft, count: number): void {
  add(draft, { parent: null, time: null }, { kind: "note", note: "lost", text: `${count}` });
}

/**
 * Lines of one stream that follow each other are one block, of a bounded size: a line more lays
 * out its own block only, however much was printed before.
 */
function writeLine(draft: Draft, event: Fields, line: string): void {
  const stream = textAt(event, "stream") === "stderr" ? "stderr" : "stdout";
  const last = draft.items.at(-1);
  const isContinued = last?.kind === "output" && last.stream === stream;
  if (!isContinued || last.lines.length === LINES_IN_BLOCK || last.size > SIZE_OF_BLOCK) {
    add(draft, base(event), {
      kind: "output",
      stream,
      lines: [line],
      size: line.length,
      isContinued,
    });
    return;
  }
  const longer: ItemOf<"output"> = {
    ...last,
    lines: [...last.lines, line],
    size: last.size + line.length,
  };
  draft.items[draft.items.length - 1] = longer;
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
  return Object.keys(fieldsOf(input)).length > 0 ? printJson(input) : "";
}
