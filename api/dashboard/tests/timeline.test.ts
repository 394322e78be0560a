import { expect, test } from "vitest";
import type { TranscriptEvent } from "../src/api/views";
import { EMPTY, type Item, type ItemOf } from "../src/transcript/items";
import { countKinds } from "../src/transcript/kinds";
import { afterEvent, afterEvents, relative, subjectOf } from "../src/transcript/timeline";
import { transcriptOf } from "./samples";

function itemsOf(events: TranscriptEvent[]): readonly Item[] {
  return afterEvents(EMPTY, events).items;
}

function toolsOf(items: readonly Item[]): ItemOf<"tool">[] {
  return items.filter((item) => item.kind === "tool");
}

function piece(event: object): TranscriptEvent {
  return { type: "stream_event", event };
}

test("a real run is told step by step", () => {
  const timeline = afterEvents(EMPTY, transcriptOf("sales"));
  expect(timeline.items.map((item) => item.kind)).toEqual([
    "begin",
    "thinking",
    "text",
    "tool",
    "text",
    "tool",
    "tool",
    "result",
    "end",
  ]);
  const calls = toolsOf(timeline.items).map(
    (call) => `${call.name} ${subjectOf(call.input, timeline.folder)}`,
  );
  expect(calls).toEqual(["Write sales.csv", "Write analyse.py", "Bash python3 analyse.py"]);
});

test("every call gets its own result", () => {
  const calls = toolsOf(itemsOf(transcriptOf("sales")));
  expect(calls.map((call) => call.result?.isError)).toEqual([false, false, false]);
  expect(calls.at(-1)?.result?.text).toContain("24 sales, 38531.30 in all");
});

test("the last words are shown once, as the result", () => {
  const items = itemsOf(transcriptOf("hello"));
  const said = items.filter((item) => "text" in item && item.text.includes("Hello from"));
  expect(said.map((item) => item.kind)).toEqual(["result"]);
});

test("what verification printed stands between result and end", () => {
  const items = itemsOf(transcriptOf("hurried"));
  expect(items.slice(-3).map((item) => item.kind)).toEqual(["result", "output", "end"]);
  expect(items.at(-1)).toMatchObject({ kind: "end", reason: "VerificationFailed" });
});

test("a transcript in two parts gives what it gives in one", () => {
  const events = transcriptOf("sales");
  for (let cut = 0; cut <= events.length; cut++) {
    const halves = afterEvents(afterEvents(EMPTY, events.slice(0, cut)), events.slice(cut));
    expect(halves).toEqual(afterEvents(EMPTY, events));
  }
});

test("items that an event does not touch stay the same objects", () => {
  const events = transcriptOf("sales");
  const before = afterEvents(EMPTY, events.slice(0, -3));
  const after = afterEvents(EMPTY, events.slice(0, -3));
  const grown = afterEvents(before, events.slice(-3));
  expect(before.items[0]).toBe(grown.items[0]);
  expect(after.items[0]).not.toBe(grown.items[0]);
});

test("pieces of an answer grow and give way to the whole", () => {
  let timeline = afterEvents(EMPTY, [
    piece({ type: "message_start", message: { id: "m1" } }),
    piece({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    piece({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hel" } }),
    piece({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "lo" } }),
  ]);
  expect(timeline.items).toMatchObject([{ kind: "text", text: "Hello", isStreaming: true }]);
  timeline = afterEvent(timeline, {
    type: "assistant",
    message: { id: "m1", content: [{ type: "text", text: "Hello" }] },
  });
  expect(timeline.items).toMatchObject([{ kind: "text", text: "Hello", isStreaming: false }]);
});

test("an answer that breaks off leaves no pieces behind", () => {
  const items = itemsOf([
    piece({ type: "message_start", message: { id: "m1" } }),
    piece({ type: "content_block_start", index: 0, content_block: { type: "text", text: "Ha" } }),
    piece({ type: "message_start", message: { id: "m2" } }),
  ]);
  expect(items).toEqual([]);
});

test("a call's input is shown while it is written", () => {
  const items = itemsOf([
    piece({ type: "message_start", message: { id: "m1" } }),
    piece({
      type: "content_block_start",
      index: 1,
      content_block: { type: "tool_use", id: "t1", name: "Bash" },
    }),
    piece({
      type: "content_block_delta",
      index: 1,
      delta: { type: "input_json_delta", partial_json: '{"comm' },
    }),
  ]);
  expect(items).toMatchObject([{ kind: "tool", name: "Bash", draft: '{"comm', result: null }]);
});

test("steps of a sub-agent know the call that they belong to", () => {
  const items = itemsOf([
    {
      type: "assistant",
      parent_tool_use_id: "task-1",
      message: { id: "m", content: [{ type: "text", text: "Looking" }] },
    },
  ]);
  expect(items).toMatchObject([{ kind: "text", parent: "task-1" }]);
});

test("only pictures of known kinds are shown", () => {
  const image = (type: string) => ({
    type: "image",
    source: { type: "base64", media_type: type, data: "AAAA" },
  });
  const items = itemsOf([
    { type: "assistant", message: { content: [{ type: "tool_use", id: "t", name: "Read" }] } },
    {
      type: "user",
      message: {
        content: [
          {
            type: "tool_result",
            tool_use_id: "t",
            content: [image("image/png"), image("image/svg+xml"), image("text/html")],
          },
        ],
      },
    },
  ]);
  expect(toolsOf(items)[0]?.result?.pictures).toEqual([{ address: "data:image/png;base64,AAAA" }]);
});

test("lines of one stream that follow each other are one block", () => {
  const line = (stream: string, text: string) => ({
    type: "heliostat",
    subtype: "output",
    stream,
    text,
  });
  const items = itemsOf([line("stdout", "a"), line("stdout", "b"), line("stderr", "c")]);
  expect(items).toMatchObject([
    { stream: "stdout", lines: ["a", "b"] },
    { stream: "stderr", lines: ["c"] },
  ]);
});

function noteOf(subtype: string, fields: object): readonly Item[] {
  return itemsOf([{ type: "heliostat", subtype, ...fields }]);
}

test("files that were left out are named, with the reason", () => {
  const why = "22020096 bytes; a file may have 20971520";
  const files = { count: 1, files: [{ path: "a.md", bytes: 6 }] };
  const leftOut = [{ path: "huge.bin", why }];
  expect(noteOf("files", { ...files, leftOutCount: 1, leftOut })).toMatchObject([
    { kind: "note", note: "leftOut", text: `huge.bin: ${why}` },
  ]);
  expect(noteOf("files", { ...files, leftOutCount: 130, leftOut })).toMatchObject([
    { kind: "note", note: "leftOut", text: `huge.bin: ${why}\n… +129` },
  ]);
  expect(noteOf("files", { ...files, leftOutCount: 0, leftOut: [] })).toEqual([]);
});

test("files that nobody could look for, and a delivery that ended, are told", () => {
  expect(noteOf("files", { why: "There was no time to look for them." })).toMatchObject([
    { note: "noFiles", text: "There was no time to look for them." },
  ]);
  expect(noteOf("delivery_ended", { why: "the api answered 401" })).toMatchObject([
    { note: "undelivered", text: "the api answered 401" },
  ]);
});

test("an attempt that ended without a result is no gap in its transcript", () => {
  expect(noteOf("lost", { why: "OUT_OF_MEMORY" })).toMatchObject([
    { note: "noResult", text: "OUT_OF_MEMORY" },
  ]);
  expect(noteOf("lost", { first: 3, count: 4 })).toMatchObject([{ note: "lost", text: "4" }]);
});

test.each([
  {},
  { type: "assistant" },
  { type: "assistant", message: { content: "text" } },
  { type: "user", message: null },
  { type: "stream_event" },
  { type: "result" },
  { type: "heliostat", subtype: 7 },
  { type: ["nonsense"] },
])("an odd event breaks nothing: %j", (event) => {
  expect(() => afterEvent(EMPTY, event)).not.toThrow();
});

test.each([
  ["/workspace/a/b.txt", "/workspace", "a/b.txt"],
  ["/workspace2/b.txt", "/workspace", "/workspace2/b.txt"],
  ["/workspace/b.txt", "", "/workspace/b.txt"],
])("the path %s in %s is shown as %s", (path, folder, shown) => {
  expect(relative(path, folder)).toBe(shown);
});

test("a long output is in blocks of a bounded size, and counts as one", () => {
  const events = Array.from({ length: 250 }, (_, at) => ({
    type: "heliostat",
    subtype: "output",
    stream: "stdout",
    text: `line ${at}`,
  }));
  const blocks = itemsOf(events);
  expect(blocks).toMatchObject([
    { isContinued: false },
    { isContinued: true },
    { isContinued: true },
  ]);
  expect(blocks.flatMap((block) => (block.kind === "output" ? block.lines : []))).toHaveLength(250);
  expect(countKinds(blocks).output).toBe(1);
  const huge = itemsOf(
    ["x".repeat(3_000_000), "after"].map((text) => ({ ...events[0], type: "heliostat", text })),
  );
  expect(huge).toHaveLength(2);
});

test("the log has every line, with our words where lines are missing", () => {
  const note = (subtype: string, rest: object) => ({ type: "heliostat", subtype, ...rest });
  const { log } = afterEvents(EMPTY, [
    note("output", { stream: "stdout", text: "heliostat-runner: starts" }),
    note("output", { stream: "stderr", text: "" }),
    note("cut", { bytes: 3_000_000, head: "{" }),
    note("lost", { count: 7 }),
    note("stdout_cut", { text: "stdout ends here" }),
    { type: "assistant", message: { content: [{ type: "text", text: "no line of a program" }] } },
  ]);
  expect(log.flatMap(({ lines }) => lines)).toEqual([
    { kind: "stdout", text: "heliostat-runner: starts" },
    { kind: "stderr", text: "" },
    { kind: "cut", bytes: 3_000_000 },
    { kind: "lost", count: 7 },
    { kind: "note", text: "stdout ends here" },
  ]);
});

test("an event that was too large says how large, and how what it said began", () => {
  const cut = (head: string) => ({ type: "heliostat", subtype: "cut", bytes: 3_145_728, head });
  const head = '{"type":"heliostat","subtype":"output","text":"a \\"long\\" line\\u0021';
  expect(itemsOf([cut(head), cut("{")])).toMatchObject([
    { kind: "cut", bytes: 3_145_728, head: 'a "long" line!' },
    { kind: "cut", head: "{" },
  ]);
});
