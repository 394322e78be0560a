import { expect, test } from "vitest";
import type { TranscriptEvent } from "../src/api/views";
import { afterOutput, afterPage, afterPieces, emptyTranscript } from "../src/transcript/transcript";
import { transcriptOf } from "./samples";

const EVENTS = transcriptOf("hello");
const WHOLE = afterPage(emptyTranscript(1), page(0, EVENTS));

function page(first: number, events: TranscriptEvent[], next: string | null = null) {
  return { attempt: 1, first, events, next };
}

test("reports that overlap with what was read are heard once", () => {
  for (let known = 0; known <= EVENTS.length; known++) {
    for (let first = 0; first <= known; first++) {
      const read = afterPage(emptyTranscript(1), page(0, EVENTS.slice(0, known)));
      const after = afterOutput(read, { attempt: 1, first, events: EVENTS.slice(first) });
      expect(after).toEqual(WHOLE);
    }
  }
});

test("a hole before a report has to be read", () => {
  const read = afterPage(emptyTranscript(1), page(0, EVENTS.slice(0, 3)));
  expect(afterOutput(read, { attempt: 1, first: 5, events: EVENTS.slice(5) })).toBeNull();
});

test("reports of another attempt change nothing", () => {
  expect(afterOutput(WHOLE, { attempt: 2, first: 0, events: EVENTS })).toBe(WHOLE);
});

test("reports behind unread pages wait for the reader", () => {
  const part = afterPage(emptyTranscript(1), page(0, EVENTS.slice(0, 3), "3"));
  expect(afterOutput(part, { attempt: 1, first: 9, events: EVENTS.slice(9) })).toBe(part);
});

test("an answer shows while it comes, and its place in the transcript stays", () => {
  const read = afterPage(emptyTranscript(1), page(0, EVENTS.slice(0, 3)));
  const events: TranscriptEvent[] = [
    { type: "message_start", message: { id: "msg_9" } },
    { type: "content_block_start", index: 0, content_block: { type: "text" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Half of" } },
  ].map((event) => ({ type: "stream_event", event }));
  const after = afterPieces(read, { attempt: 1, events });
  expect(after.timeline.items.at(-1)).toMatchObject({ text: "Half of", isStreaming: true });
  expect(after.next).toBe(read.next);
  expect(afterPieces(read, { attempt: 2, events })).toBe(read);
});

test("a page that begins later says how many events were lost", () => {
  const read = afterPage(emptyTranscript(1), page(0, EVENTS.slice(0, 3)));
  const after = afterPage(read, page(7, EVENTS.slice(7)));
  expect(after.timeline.items).toContainEqual(
    expect.objectContaining({ kind: "note", note: "lost", text: "4" }),
  );
  expect(after.next).toBe(EVENTS.length);
});

test("a mark of lost events counts for all of them", () => {
  const read = afterPage(emptyTranscript(1), page(0, EVENTS.slice(0, 3)));
  const lost = { type: "heliostat", subtype: "lost", first: 3, count: 4 };
  const marked = afterOutput(read, { attempt: 1, first: 3, events: [lost] });
  expect(marked?.next).toBe(7);
  expect(marked?.timeline.items.at(-1)).toMatchObject({ note: "lost", text: "4" });
  const whole = marked && afterOutput(marked, { attempt: 1, first: 7, events: EVENTS.slice(7) });
  expect(whole?.next).toBe(EVENTS.length);
});

test("a page that was read before is not told twice", () => {
  expect(afterPage(WHOLE, page(2, EVENTS.slice(2)))).toEqual(WHOLE);
});
