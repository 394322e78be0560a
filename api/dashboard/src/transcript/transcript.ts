import type { Output, Pieces, TranscriptEvent, TranscriptPage } from "../api/views";
import { EMPTY, type Timeline } from "./items";
import { isLost, lostIn } from "./lost";
import { afterEvents, withLost } from "./timeline";

/** What was read of one attempt's transcript. `next`: the first sequence number not yet in it. */
export interface Transcript {
  readonly attempt: number;
  readonly next: number;
  /** The cursor of pages that are left unread for now: a transcript may have 50 MB. */
  readonly rest: string | null;
  readonly timeline: Timeline;
}

export function emptyTranscript(attempt: number): Transcript {
  return { attempt, next: 0, rest: null, timeline: EMPTY };
}

export function afterPage(transcript: Transcript, page: TranscriptPage): Transcript {
  if (page.events.length === 0) return { ...transcript, rest: page.next };
  const missing = page.first - transcript.next;
  const begun = missing > 0 ? withLost(transcript.timeline, missing) : transcript.timeline;
  return {
    attempt: transcript.attempt,
    next: Math.max(transcript.next, page.first + page.events.length),
    rest: page.next,
    timeline: afterEvents(begun, page.events.slice(Math.max(0, -missing))),
  };
}

/**
 * After events of the stream. What is there already is skipped, and so is what comes behind pages
 * that are unread; null: something between is missing, so it has to be read.
 */
export function afterOutput(transcript: Transcript, output: Output): Transcript | null {
  if (output.attempt !== transcript.attempt || transcript.rest !== null) return transcript;
  if (endOf(output) <= transcript.next) return transcript;
  if (output.first > transcript.next) return null;
  return {
    ...transcript,
    next: endOf(output),
    timeline: afterEvents(transcript.timeline, behind(output, transcript.next)),
  };
}

/** After pieces of an answer, which have no numbers: only an end that is read may grow. */
export function afterPieces(transcript: Transcript, pieces: Pieces): Transcript {
  if (pieces.attempt !== transcript.attempt || transcript.rest !== null) return transcript;
  return { ...transcript, timeline: afterEvents(transcript.timeline, pieces.events) };
}

/** The number of the event after these. A mark of lost events stands for all of them. */
export function endOf(output: Output): number {
  return output.events.reduce((number, event) => number + numbersOf(event), output.first);
}

/** Those events that do not end before a number. */
function behind(output: Output, number: number): TranscriptEvent[] {
  let end = output.first;
  return output.events.filter((event) => {
    end += numbersOf(event);
    return end > number;
  });
}

function numbersOf(event: TranscriptEvent): number {
  return isLost(event) ? lostIn(event) : 1;
}
