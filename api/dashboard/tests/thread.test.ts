import { expect, test } from "vitest";
import type { Message } from "../src/api/views";
import type { LogFrame, Part } from "../src/chat/frames";
import {
  afterFrame,
  agentIn,
  NO_THREAD,
  type Thread,
  testRunIn,
  withOlder,
  writingIn,
} from "../src/chat/thread";

const CONVERSATION = {
  id: "c",
  title: "News",
  agentId: null,
  createdTime: "2026-11-22T11:00:00Z",
  changedTime: "2026-11-22T11:00:00Z",
  state: "idle",
} as const;

function message(id: string, change: Partial<Message> = {}): Message {
  return {
    id,
    role: "assistant",
    state: "writing",
    parts: [],
    time: "2026-11-22T11:00:00Z",
    costMicros: 0,
    ...change,
  };
}

const text = (words: string): Part => ({ type: "text", text: words });
const asked = message("m1", { role: "user", state: "done", parts: [text("hello")] });

const snapshot = (cursor: number, messages: Message[]): LogFrame => ({
  type: "conversation",
  cursor,
  conversation: CONVERSATION,
  messages,
});
const delta = (cursor: number, words: string, index = 0): LogFrame => ({
  type: "delta",
  cursor,
  message: "m2",
  index,
  text: words,
});

/** null as soon as a frame does not fit. */
function after(frames: LogFrame[], thread: Thread = NO_THREAD): Thread | null {
  return frames.reduce<Thread | null>((now, frame) => now && afterFrame(now, frame), thread);
}

const ANSWER: LogFrame[] = [
  snapshot(3, [asked]),
  { type: "message", cursor: 4, message: message("m2") },
  delta(5, "Good "),
  delta(6, "morning."),
  {
    type: "part",
    cursor: 7,
    message: "m2",
    index: 1,
    part: { type: "agentCard", agentId: "a", revision: 1 },
  },
  delta(8, "Done.", 2),
  {
    type: "message",
    cursor: 9,
    message: message("m2", { state: "done", costMicros: 42, parts: [text("Good morning.")] }),
  },
];

test("an answer grows by its pieces and ends as what was stored", () => {
  const growing = after(ANSWER.slice(0, -1));
  expect(growing?.messages[1]?.parts).toEqual([
    text("Good morning."),
    { type: "agentCard", agentId: "a", revision: 1 },
    text("Done."),
  ]);
  expect(growing && writingIn(growing)?.id).toBe("m2");
  const done = after(ANSWER);
  expect(done?.messages[1]).toMatchObject({ state: "done", costMicros: 42 });
  expect(done && writingIn(done)).toBeNull();
  expect(done?.cursor).toBe(9);
});

test("a part is replaced where it stands", () => {
  const status: Part = { type: "status", code: "thinking", text: "" };
  const thread = after([
    snapshot(1, [message("m2", { parts: [status] })]),
    { type: "part", cursor: 2, message: "m2", index: 0, part: text("So:") },
  ]);
  expect(thread?.messages[0]?.parts).toEqual([text("So:")]);
});

test.each(ANSWER.map((_, at) => at))(
  "a connection that breaks after frame %i loses and doubles nothing",
  (at) => {
    const before = after(ANSWER.slice(0, at + 1));
    // What is sent again overlaps with what is there.
    const again = ANSWER.slice(Math.max(1, at - 1));
    expect(before && after(again, before)).toEqual(after(ANSWER));
  },
);

test("a snapshot is believed whatever its place: a server may count anew", () => {
  const old = after(ANSWER);
  const thread = old && afterFrame(old, snapshot(1, [asked]));
  expect(thread).toMatchObject({ cursor: 1, messages: [{ id: "m1" }] });
});

test.each<[string, LogFrame]>([
  ["text of a message that is not there", { ...delta(9, "x"), message: "m9" } as LogFrame],
  ["text behind a part that is not there", delta(9, "x", 4)],
  ["text of what is no text", delta(9, "x", 1)],
  [
    "a part behind one that is not there",
    { type: "part", cursor: 9, message: "m2", index: 7, part: text("") },
  ],
])("%s asks for all of it again", (_, frame) => {
  expect(after([...ANSWER.slice(0, 6), frame])).toBeNull();
});

test("nothing is believed before the snapshot", () => {
  expect(afterFrame(NO_THREAD, delta(4, "x"))).toBeNull();
});

test("older messages go before, once", () => {
  const thread = withOlder(after(ANSWER) ?? NO_THREAD, [message("m0"), asked]);
  expect(thread.messages.map(({ id }) => id)).toEqual(["m0", "m1", "m2"]);
});

test("the card shows the agent and the test run that were told of last", () => {
  const result = (execution: string | null): Part => ({
    type: "result",
    callId: "t",
    isError: false,
    text: "",
    execution,
  });
  const parts: Part[] = [
    { type: "agentCard", agentId: "a", revision: 1 },
    result("run-1"),
    { type: "agentCard", agentId: "b", revision: 1 },
    result(null),
  ];
  const thread = after([snapshot(1, [message("m", { parts })])]) ?? NO_THREAD;
  expect(agentIn(thread)).toBe("b");
  expect(testRunIn(thread)).toBe("run-1");
  expect(agentIn(NO_THREAD)).toBeNull();
});
