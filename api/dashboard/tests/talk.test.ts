import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Message } from "../src/api/views";
import type { Socket } from "../src/chat/connection";
import type { ClientFrame, SayFrame, ServerFrame } from "../src/chat/frames";
import { sendingIn, Talk } from "../src/chat/talk";

/** The other end of the wire. */
class Wire implements Socket {
  static opened: Wire[] = [];
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onmessage: ((event: MessageEvent<string>) => void) | null = null;
  readonly heard: ClientFrame[] = [];

  constructor() {
    Wire.opened.push(this);
  }

  static get latest(): Wire {
    const wire = Wire.opened.at(-1);
    if (!wire) throw new Error("nothing was opened");
    return wire;
  }

  send(text: string): void {
    this.heard.push(JSON.parse(text));
  }

  close(): void {}

  answer(): void {
    this.onopen?.(new Event("open"));
  }

  tell(...frames: ServerFrame[]): void {
    for (const frame of frames) {
      this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(frame) }));
    }
  }

  break(): void {
    this.onclose?.(new Event("close") as CloseEvent);
  }
}

const say = (id: string, text: string, conversation: string | null = "c"): SayFrame => ({
  type: "say",
  id,
  conversation,
  text,
  timeZone: "UTC",
  language: "en",
  agent: null,
});

const said = (id: string, text: string): Message => ({
  id,
  role: "user",
  state: "done",
  parts: [{ type: "text", text }],
  time: "2026-11-22T11:00:00Z",
  costMicros: 0,
});

const heard = (cursor: number, message: Message): ServerFrame => ({
  type: "message",
  cursor,
  message,
});
const snapshot = (cursor: number, messages: Message[], id = "c"): ServerFrame => ({
  type: "conversation",
  cursor,
  messages,
  conversation: { id, title: "", agentId: null, createdTime: "", changedTime: "", state: "idle" },
});

/** A talk of conversation `c`, connected and up to date. */
function begin(): Talk {
  const talk = new Talk(() => new Wire());
  talk.watch("c");
  talk.connect();
  Wire.latest.answer();
  Wire.latest.tell(snapshot(4, [said("m0", "yes")]));
  return talk;
}

function reconnect(): Wire {
  Wire.latest.break();
  vi.runOnlyPendingTimers();
  Wire.latest.answer();
  return Wire.latest;
}

const texts = (talk: Talk) => sendingIn(talk.state()).map((frame) => frame.text);
const shown = (talk: Talk) => talk.state().thread.messages.map(({ id }) => id);

beforeEach(() => {
  vi.useFakeTimers();
  Wire.opened = [];
});
afterEach(() => {
  vi.useRealTimers();
});

test("what is said is being sent until it comes back as a message", () => {
  const talk = begin();
  talk.say(say("1", "hello"));
  expect(texts(talk)).toEqual(["hello"]);
  Wire.latest.tell({ type: "accepted", id: "1", conversation: "c" });
  expect(texts(talk)).toEqual(["hello"]);
  Wire.latest.tell(heard(5, said("m1", "hello")));
  expect(texts(talk)).toEqual([]);
  expect(shown(talk)).toEqual(["m0", "m1"]);
});

test("a message may come before the word that it was taken", () => {
  const talk = begin();
  talk.say(say("1", "hello"));
  Wire.latest.tell(heard(5, said("m1", "hello")));
  expect(texts(talk)).toEqual([]);
  Wire.latest.tell({ type: "accepted", id: "1", conversation: "c" });
  expect(reconnect().heard).toEqual([{ type: "watch", conversation: "c", cursor: 5 }]);
});

test("what nobody took is said again under the same id, behind the cursor", () => {
  const talk = begin();
  talk.say(say("1", "hello"));
  const wire = reconnect();
  expect(wire.heard).toEqual([{ type: "watch", conversation: "c", cursor: 4 }, say("1", "hello")]);
  wire.tell(heard(5, said("m1", "hello")), { type: "accepted", id: "1", conversation: "c" });
  expect(texts(talk)).toEqual([]);
  expect(reconnect().heard).toHaveLength(1);
});

test("words that were said before are no proof that they were taken now", () => {
  const talk = begin();
  talk.say(say("1", "yes"));
  const wire = reconnect();
  wire.tell(snapshot(9, [said("m0", "yes")]));
  expect(texts(talk)).toEqual(["yes"]);
  wire.tell({ type: "accepted", id: "1", conversation: "c" }, heard(10, said("m1", "yes")));
  expect(texts(talk)).toEqual([]);
  expect(shown(talk)).toEqual(["m0", "m1"]);
});

test("a snapshot behind the word that it was taken shows it", () => {
  const talk = begin();
  talk.say(say("1", "hello"));
  Wire.latest.tell({ type: "accepted", id: "1", conversation: "c" });
  reconnect().tell(snapshot(9, [said("m0", "yes"), said("m1", "hello")]));
  expect(texts(talk)).toEqual([]);
});

test("what is said while nobody listens is sent once somebody does", () => {
  const talk = new Talk(() => new Wire());
  talk.connect();
  talk.say(say("1", "hello", null));
  talk.say(say("1", "hello", null));
  expect(Wire.latest.heard).toEqual([]);
  Wire.latest.answer();
  expect(Wire.latest.heard).toEqual([say("1", "hello", null)]);
  expect(talk.state().begun).toBeNull();
  Wire.latest.tell({ type: "accepted", id: "1", conversation: "c-new" });
  expect(talk.state().begun).toBe("c-new");
  talk.watch("c-new");
  expect(texts(talk)).toEqual(["hello"]);
  Wire.latest.tell(snapshot(2, [said("m1", "hello")], "c-new"));
  expect(texts(talk)).toEqual([]);
});

test("what is refused is given back with the reason", () => {
  const talk = begin();
  talk.say(say("1", "hello"));
  const problem = { type: "about:blank", title: "", status: 422, detail: "too long", errors: [] };
  Wire.latest.tell({ type: "refused", id: "1", problem });
  expect(texts(talk)).toEqual([]);
  expect(talk.state().refusal?.message).toBe("too long");
  expect(talk.state().refused?.text).toBe("hello");
  talk.say(say("2", "hi"));
  expect(talk.state().refusal).toBeNull();
});

test("frames of the conversation before are not taken for the next one's", () => {
  const talk = begin();
  talk.watch("d");
  Wire.latest.tell(snapshot(9, [said("m5", "old")]), heard(10, said("m6", "old")));
  expect(talk.state().thread.cursor).toBeNull();
  Wire.latest.tell(snapshot(1, [said("n1", "new")], "d"));
  expect(shown(talk)).toEqual(["n1"]);
});

test("what is being sent is shown where it was said, and sent all the same", () => {
  const talk = begin();
  talk.say(say("1", "hello"));
  talk.watch("d");
  Wire.latest.tell(snapshot(1, [], "d"), heard(2, said("n1", "hello")));
  expect(texts(talk)).toEqual([]);
  expect(reconnect().heard).toEqual([
    { type: "watch", conversation: "d", cursor: 2 },
    say("1", "hello"),
  ]);
  talk.watch("c");
  expect(texts(talk)).toEqual(["hello"]);
});

test("a hole is asked for once", () => {
  const talk = begin();
  const frame: ServerFrame = { type: "delta", cursor: 7, message: "m9", index: 0, text: "x" };
  Wire.latest.tell(frame, { ...frame, cursor: 8 });
  expect(Wire.latest.heard.slice(1)).toEqual([{ type: "watch", conversation: "c", cursor: null }]);
  Wire.latest.tell(snapshot(8, [said("m9", "")]), { ...frame, cursor: 9 });
  expect(shown(talk)).toEqual(["m9"]);
});

test("stopping and going on are about the conversation that is open", () => {
  const talk = begin();
  talk.stop();
  talk.goOn("m2");
  expect(Wire.latest.heard.slice(1)).toEqual([
    { type: "stop", conversation: "c" },
    { type: "continue", conversation: "c", message: "m2" },
  ]);
});

test("what is pressed while nobody listens is said once somebody does, the last of it", () => {
  const talk = begin();
  Wire.latest.break();
  talk.stop();
  talk.goOn("a");
  vi.runOnlyPendingTimers();
  Wire.latest.answer();
  expect(Wire.latest.heard.map((frame) => frame.type)).toEqual(["watch", "continue"]);
  Wire.latest.break();
  vi.runOnlyPendingTimers();
  Wire.latest.answer();
  expect(Wire.latest.heard.map((frame) => frame.type)).toEqual(["watch"]);
});

test("a connection is tried again, and not when somebody closed it", () => {
  const talk = begin();
  Wire.latest.break();
  expect(talk.state().isOpen).toBe(false);
  vi.runOnlyPendingTimers();
  expect(Wire.opened).toHaveLength(2);
  Wire.latest.answer();
  expect(talk.state().isOpen).toBe(true);
  talk.close();
  vi.runOnlyPendingTimers();
  expect(Wire.opened).toHaveLength(2);
});

test("a watch that the server can't serve now is asked for again, with growing waits", () => {
  const talk = begin();
  const refused = (status: number): ServerFrame => ({
    type: "refused",
    id: null,
    problem: { type: "about:blank", title: "", status, detail: "Not now", errors: [] },
  });
  const again = { type: "watch", conversation: "c", cursor: 4 };
  Wire.latest.tell(refused(503));
  expect(Wire.latest.heard).toHaveLength(1);
  vi.advanceTimersByTime(500);
  expect(Wire.latest.heard.slice(1)).toEqual([again]);
  Wire.latest.tell(refused(503));
  vi.advanceTimersByTime(499);
  expect(Wire.latest.heard).toHaveLength(2);
  vi.advanceTimersByTime(501);
  expect(Wire.latest.heard.slice(2)).toEqual([again]);
  Wire.latest.tell(refused(404));
  vi.runOnlyPendingTimers();
  expect(Wire.latest.heard).toHaveLength(3);
  Wire.latest.tell(refused(503));
  talk.close();
  vi.runOnlyPendingTimers();
  expect(Wire.latest.heard).toHaveLength(3);
});

test("a word is sent once the session is known to be still there, in the order of the words", async () => {
  const answers: ((isThere: boolean) => void)[] = [];
  const talk = new Talk(
    () => new Wire(),
    () => new Promise((resolve) => answers.push(resolve)),
  );
  talk.connect();
  Wire.latest.answer();
  talk.say(say("1", "first"));
  talk.say(say("2", "second"));
  expect(sendingIn({ ...talk.state(), watched: "c" })).toHaveLength(2);
  expect(Wire.latest.heard).toEqual([]);
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  answers[0]?.(true);
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  expect(Wire.latest.heard).toEqual([say("1", "first")]);
  answers[1]?.(false);
  await Promise.resolve();
  expect(Wire.latest.heard).toEqual([say("1", "first")]);
});
