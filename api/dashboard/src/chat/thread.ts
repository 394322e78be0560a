/** One conversation as it is known here: what was there, and every frame since. Pure. */
import type { Conversation, Message } from "../api/views";
import type { LogFrame, Part } from "./frames";

export interface Thread {
  readonly conversation: Conversation | null;
  readonly messages: readonly Message[];
  /** The place of the last frame that is in it; null: nothing was heard yet. */
  readonly cursor: number | null;
}

export const NO_THREAD: Thread = { conversation: null, messages: [], cursor: null };

/**
 * The thread after a frame; the same one after a frame that is in it already. null: what the
 * frame builds on is not here, so all of it has to be asked for again.
 */
export function afterFrame(thread: Thread, frame: LogFrame): Thread | null {
  if (frame.type === "conversation") {
    // Also when it is behind: a server that lost its log counts anew.
    const { conversation, messages, cursor } = frame;
    return { conversation, messages, cursor };
  }
  if (thread.cursor === null) return null;
  if (frame.cursor <= thread.cursor) return thread;
  const messages = changed(thread.messages, frame);
  return messages && { ...thread, messages, cursor: frame.cursor };
}

type Change = Exclude<LogFrame, { type: "conversation" }>;

function changed(messages: readonly Message[], frame: Change): readonly Message[] | null {
  if (frame.type === "message") return withMessage(messages, frame.message);
  const message = messages.find((each) => each.id === frame.message);
  if (!message) return null;
  const parts =
    frame.type === "part"
      ? withPart(message.parts, frame.index, frame.part)
      : withText(message.parts, frame.index, frame.text);
  return parts && withMessage(messages, { ...message, parts });
}

function withMessage(messages: readonly Message[], message: Message): readonly Message[] {
  const isThere = messages.some((each) => each.id === message.id);
  return isThere
    ? messages.map((each) => (each.id === message.id ? message : each))
    : [...messages, message];
}

function withPart(parts: Part[], index: number, part: Part): Part[] | null {
  if (index > parts.length) return null;
  return parts.toSpliced(index, 1, part);
}

/** A text may begin with its first piece. */
function withText(parts: Part[], index: number, text: string): Part[] | null {
  const part = parts[index] ?? (index === parts.length ? { type: "text", text: "" } : null);
  if (part?.type !== "text") return null;
  return withPart(parts, index, { type: "text", text: part.text + text });
}

/** Messages before those that are here, as REST gave them. */
export function withOlder(thread: Thread, older: readonly Message[]): Thread {
  const known = new Set(thread.messages.map(({ id }) => id));
  const added = older.filter(({ id }) => !known.has(id));
  return { ...thread, messages: [...added, ...thread.messages] };
}

/** The answer that is being written, if one is. */
export function writingIn(thread: Thread): Message | null {
  const last = thread.messages.at(-1);
  return last?.role === "assistant" && last.state === "writing" ? last : null;
}

/** The agent that this conversation is about: the one shown last, else the one it began with. */
export function agentIn(thread: Thread): string | null {
  const parts = thread.messages.flatMap((message) => message.parts);
  const card = parts.findLast((part) => part.type === "agentCard");
  return card?.type === "agentCard" ? card.agentId : (thread.conversation?.agentId ?? null);
}

/** The latest run that the conversation tells of. */
export function testRunIn(thread: Thread): string | null {
  const parts = thread.messages.flatMap((message) => message.parts);
  const result = parts.findLast((part) => part.type === "result" && part.execution);
  return result?.type === "result" ? (result.execution ?? null) : null;
}

export function textOf(message: Message): string {
  return message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}
