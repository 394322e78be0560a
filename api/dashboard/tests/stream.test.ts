import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Report } from "../src/api/views";
import { backoffMs } from "../src/live/backoff";
import type { Frame, Link } from "../src/live/frames";
import { Hub } from "../src/live/hub";
import type { Presence } from "../src/live/presence";
import { type Source, Stream } from "../src/live/stream";
import { changed, run, snapshot } from "./samples";

/** The other end of the wire. */
class Wire implements Source {
  static opened: Wire[] = [];
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  isClosed = false;
  readonly #listeners = new Map<string, (event: MessageEvent<string>) => void>();

  readonly address: string;

  constructor(address: string) {
    this.address = address;
    Wire.opened.push(this);
  }

  static get latest(): Wire {
    const wire = Wire.opened.at(-1);
    if (!wire) throw new Error("nothing was opened");
    return wire;
  }

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.#listeners.set(type, listener);
  }

  send(type: string, data: object): void {
    this.#listeners.get(type)?.(new MessageEvent(type, { data: JSON.stringify(data) }));
  }

  close(): void {
    this.isClosed = true;
  }
}

const open = (address: string) => new Wire(address);

let presence: Presence;
const ask = async () => presence;

function listen() {
  const reports: Report[] = [];
  const links: Link[] = [];
  const stream = new Stream(
    {
      onSnapshot: () => {},
      onReport: (report) => reports.push(report),
      onLink: (link) => links.push(link),
      onForget: () => {},
    },
    open,
    ask,
  );
  stream.connect();
  return { stream, reports, links };
}

beforeEach(() => {
  vi.useFakeTimers();
  Wire.opened = [];
  presence = { kind: "somebody", id: "local" };
});
afterEach(() => {
  vi.useRealTimers();
});

test("the first connection asks for a snapshot, the next for what followed", async () => {
  listen();
  expect(Wire.latest.address).toBe("/agent/reports/stream");
  Wire.latest.send("snapshot", snapshot(4));
  Wire.latest.send("report", changed(9, run("a")));
  Wire.latest.onerror?.(new Event("error"));
  await vi.runOnlyPendingTimersAsync();
  expect(Wire.latest.address).toBe("/agent/reports/stream?cursor=9");
});

test("a line that is silent for long is left for another one", async () => {
  const { links } = listen();
  const first = Wire.latest;
  first.onopen?.(new Event("open"));
  first.send("snapshot", snapshot(4));
  for (let beat = 0; beat < 4; beat++) {
    vi.advanceTimersByTime(15_000);
    first.send("heartbeat", {});
  }
  vi.advanceTimersByTime(39_000);
  expect(first.isClosed).toBe(false);
  vi.advanceTimersByTime(2_000);
  expect(first.isClosed).toBe(true);
  expect(links.at(-1)?.state).toBe("broken");
  await vi.runOnlyPendingTimersAsync();
  expect(Wire.latest).not.toBe(first);
  expect(Wire.latest.address).toBe("/agent/reports/stream?cursor=4");
});

test("a session that ended, or has other rights, begins with a snapshot of what is its own", async () => {
  listen();
  const first = Wire.latest;
  first.send("snapshot", snapshot(4));
  first.send("ended", {});
  expect(first.isClosed).toBe(true);
  await vi.runOnlyPendingTimersAsync();
  expect(Wire.latest).not.toBe(first);
  expect(Wire.latest.address).toBe("/agent/reports/stream");
});

test("after a break, somebody else begins with a snapshot of what is theirs", async () => {
  listen();
  Wire.latest.send("snapshot", snapshot(4));
  presence = { kind: "somebody", id: "ben" };
  Wire.latest.onerror?.(new Event("error"));
  await vi.runOnlyPendingTimersAsync();
  expect(Wire.latest.address).toBe("/agent/reports/stream");
});

test("a session that is over is said, and one that begins later is followed", async () => {
  const { links } = listen();
  Wire.latest.send("snapshot", snapshot(4));
  presence = { kind: "nobody" };
  Wire.latest.send("ended", {});
  await vi.runOnlyPendingTimersAsync();
  expect(links.at(-1)).toEqual({ state: "over" });
  expect(Wire.opened).toHaveLength(1);
  presence = { kind: "somebody", id: "local" };
  await vi.runOnlyPendingTimersAsync();
  expect(Wire.opened).toHaveLength(2);
  expect(Wire.latest.address).toBe("/agent/reports/stream");
});

test("a server that does not say who is here is away", async () => {
  const { links } = listen();
  presence = { kind: "unknown" };
  Wire.latest.onerror?.(new Event("error"));
  await vi.runOnlyPendingTimersAsync();
  expect(links.at(-1)?.state).toBe("broken");
  expect(Wire.opened).toHaveLength(1);
});

test("a report that was heard is not heard again", () => {
  const { reports } = listen();
  Wire.latest.send("snapshot", snapshot(4));
  for (const id of [4, 5, 5, 3, 6]) Wire.latest.send("report", changed(id, run("a")));
  expect(reports.map((report) => report.id)).toEqual([5, 6]);
});

test("a server that counts anew is followed", () => {
  const { reports } = listen();
  Wire.latest.send("snapshot", snapshot(1000));
  Wire.latest.send("snapshot", snapshot(2));
  Wire.latest.send("report", changed(3, run("a")));
  expect(reports.map((report) => report.id)).toEqual([3]);
});

test("it says since when the connection is broken, over all tries", async () => {
  const { links } = listen();
  vi.setSystemTime(1_000);
  Wire.latest.onerror?.(new Event("error"));
  await vi.runOnlyPendingTimersAsync();
  Wire.latest.onerror?.(new Event("error"));
  expect(links.map((link) => link.state === "broken" && link.since)).toEqual([1_000, 1_000]);
  await vi.runOnlyPendingTimersAsync();
  Wire.latest.onopen?.(new Event("open"));
  expect(links.at(-1)?.state).toBe("connected");
});

test("one source is open at a time", async () => {
  const { stream } = listen();
  Wire.latest.onerror?.(new Event("error"));
  stream.retry();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(Wire.opened.filter((wire) => !wire.isClosed)).toHaveLength(1);
});

test("a connection that works is not hurried", () => {
  const { stream } = listen();
  Wire.latest.onopen?.(new Event("open"));
  stream.retry();
  expect(Wire.opened).toHaveLength(1);
});

test("waits grow, and end at fifteen seconds", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => backoffMs(attempt, 0.999_999));
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  expect(backoffMs(0, 0)).toBe(250);
});

test("a tab that joins late is told how things stand", () => {
  const hub = new Hub(open, ask);
  Wire.latest.onopen?.(new Event("open"));
  Wire.latest.send("snapshot", snapshot(1, [run("a")]));
  Wire.latest.send("report", changed(2, run("a", { phase: "Succeeded", isFinished: true })));
  const frames: Frame[] = [];
  hub.join((frame) => frames.push(frame));
  expect(frames).toMatchObject([
    { kind: "link", link: { state: "connected" } },
    { kind: "snapshot", snapshot: { cursor: 2, executions: [{ id: "a", phase: "Succeeded" }] } },
  ]);
});

test("a tab that joins while nobody knows who is here is told nothing of who was", async () => {
  const hub = new Hub(open, ask);
  Wire.latest.onopen?.(new Event("open"));
  Wire.latest.send("snapshot", snapshot(1, [run("a")]));
  Wire.latest.onerror?.(new Event("error"));
  presence = { kind: "somebody", id: "ben" };
  const frames: Frame[] = [];
  hub.join((frame) => frames.push(frame));
  await vi.advanceTimersByTimeAsync(0);
  Wire.latest.onopen?.(new Event("open"));
  expect(frames.map(({ kind }) => kind)).toEqual(["link", "link"]);
});

test("a tab that joins during a break is told how things stand once it is mended", async () => {
  const hub = new Hub(open, ask);
  Wire.latest.onopen?.(new Event("open"));
  Wire.latest.send("snapshot", snapshot(1, [run("a")]));
  Wire.latest.onerror?.(new Event("error"));
  const frames: Frame[] = [];
  hub.join((frame) => frames.push(frame));
  await vi.advanceTimersByTimeAsync(0);
  expect(Wire.latest.address).toBe("/agent/reports/stream?cursor=1");
  Wire.latest.onopen?.(new Event("open"));
  expect(frames.at(-1)).toMatchObject({
    kind: "snapshot",
    snapshot: { executions: [{ id: "a" }] },
  });
});

test("a tab that was just opened is not told that a session is over", async () => {
  const hub = new Hub(open, ask);
  presence = { kind: "nobody" };
  Wire.latest.onerror?.(new Event("error"));
  await vi.runOnlyPendingTimersAsync();
  const frames: Frame[] = [];
  presence = { kind: "somebody", id: "local" };
  hub.join((frame) => frames.push(frame));
  await vi.advanceTimersByTimeAsync(0);
  expect(frames).toEqual([{ kind: "link", link: { state: "connecting" } }]);
  expect(Wire.opened).toHaveLength(2);
});

test("a tab that has left hears nothing more", () => {
  const hub = new Hub(open, ask);
  Wire.latest.send("snapshot", snapshot(1));
  const frames: Frame[] = [];
  const hear = (frame: Frame) => frames.push(frame);
  hub.join(hear);
  hub.leave(hear);
  const before = frames.length;
  Wire.latest.send("report", changed(2, run("a")));
  expect(frames).toHaveLength(before);
});
