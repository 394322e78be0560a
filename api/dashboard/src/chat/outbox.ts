/** What the person said and the conversation does not show yet. Pure. */
import type { LogFrame, SayFrame } from "./frames";
import { type Thread, textOf } from "./thread";

export interface Said {
  readonly frame: SayFrame;
  /** Taken by the server, in this conversation; null: nobody knows yet. */
  readonly takenIn: string | null;
  /** Its message was heard before the server's word that it was taken. */
  readonly isHeard: boolean;
  /** It was sent on a connection that is no more. */
  readonly isAgain: boolean;
}

export type Outbox = readonly Said[];

export function afterSay(outbox: Outbox, frame: SayFrame): Outbox {
  return [...outbox, { frame, takenIn: null, isHeard: false, isAgain: false }];
}

/**
 * The server has it: it is not sent again, and shown until its message comes. What was sent twice
 * is not: its message may have come in a snapshot, where nobody can tell it from an older one.
 */
export function afterAccepted(outbox: Outbox, id: string, conversation: string): Outbox {
  return outbox.flatMap((said) => {
    if (said.frame.id !== id) return [said];
    return said.isHeard || said.isAgain ? [] : [{ ...said, takenIn: conversation }];
  });
}

/** The connection broke: on the next one, everything that nobody took is said again. */
export function afterBreak(outbox: Outbox): Outbox {
  return outbox.map((said) => ({ ...said, isAgain: true }));
}

export function afterRefused(outbox: Outbox, id: string): Outbox {
  return outbox.filter(({ frame }) => frame.id !== id);
}

/** What a frame of the conversation shows needs no place here any more. */
export function afterShown(
  outbox: Outbox,
  frame: LogFrame,
  { conversation, messages }: Thread,
): Outbox {
  if (outbox.length === 0) return outbox;
  // Whatever was taken before a snapshot is in it.
  if (frame.type === "conversation") {
    return outbox.filter(({ takenIn }) => takenIn !== frame.conversation.id);
  }
  if (frame.type !== "message" || frame.message.role !== "user") return outbox;
  if (messages.some(({ id }) => id === frame.message.id)) return outbox;
  return withoutFirst(outbox, conversation?.id ?? null, textOf(frame.message));
}

function withoutFirst(outbox: Outbox, conversation: string | null, text: string): Outbox {
  const at = outbox.findIndex(
    (said) => !said.isHeard && placeOf(said) === conversation && said.frame.text === text,
  );
  return outbox.flatMap((said, number) => {
    if (number !== at) return [said];
    return said.takenIn === null ? [{ ...said, isHeard: true }] : [];
  });
}

/** What has to be said again on a new connection. */
export function unsent(outbox: Outbox): SayFrame[] {
  return outbox.flatMap(({ frame, takenIn }) => (takenIn === null ? [frame] : []));
}

/** What is being sent in a conversation; null: in the one that it begins. */
export function sending(outbox: Outbox, conversation: string | null): SayFrame[] {
  return outbox.flatMap((said) =>
    !said.isHeard && placeOf(said) === conversation ? [said.frame] : [],
  );
}

function placeOf({ frame, takenIn }: Said): string | null {
  return takenIn ?? frame.conversation;
}
