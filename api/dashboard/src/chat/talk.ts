import { ApiError } from "../api/client";
import type { Message } from "../api/views";
import { backoffMs } from "../live/backoff";
import { Connection, type Socket } from "./connection";
import type { ClientFrame, LogFrame, SayFrame, ServerFrame } from "./frames";
import {
  afterAccepted,
  afterBreak,
  afterRefused,
  afterSay,
  afterShown,
  type Outbox,
  sending,
  unsent,
} from "./outbox";
import { afterFrame, NO_THREAD, type Thread, withOlder } from "./thread";

/** What the page draws. */
export interface TalkState {
  /** The one that is shown; null: one that has not begun. */
  readonly watched: string | null;
  readonly thread: Thread;
  readonly outbox: Outbox;
  readonly isOpen: boolean;
  /** The last thing that was refused, until something else is said. */
  readonly refusal: ApiError | null;
  /** The text of what was refused, so that nobody has to write it again. */
  readonly refused: SayFrame | null;
  /** Which conversation came of something that began one. */
  readonly begun: string | null;
}

const BLANK: TalkState = {
  watched: null,
  thread: NO_THREAD,
  outbox: [],
  isOpen: false,
  refusal: null,
  refused: null,
  begun: null,
};

/** The talk of one page: at most one conversation at a time, over one connection. */
export class Talk {
  readonly #connection: Connection;
  readonly #listeners = new Set<() => void>();
  #state = BLANK;
  #isAsking = false;
  /** What was pressed while nobody listened. */
  #wish: ClientFrame | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  /** What is sent waits for what was said before it. */
  #order = Promise.resolve();
  readonly #isStillHere: (() => Promise<boolean>) | null;

  /** `isStillHere`: whether the session is still whose page this is, asked before each word. */
  constructor(open: () => Socket, isStillHere: (() => Promise<boolean>) | null = null) {
    this.#isStillHere = isStillHere;
    this.#connection = new Connection(
      {
        greeting: () => this.#greeting(),
        hear: (frame) => this.#hear(frame),
        onLink: (isOpen) => this.#linked(isOpen),
      },
      open,
    );
  }

  state = (): TalkState => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  connect(): void {
    this.#connection.connect();
  }

  retry(): void {
    this.#connection.retry();
  }

  close(): void {
    clearTimeout(this.#again);
    this.#connection.close();
  }

  /** Show this conversation; null: one that has not begun. */
  watch(conversation: string | null): void {
    const { outbox, isOpen, watched } = this.#state;
    if (conversation === watched) return;
    this.#isAsking = false;
    this.#wish = null;
    const isOfIt = (said: Outbox[number]) => said.takenIn === null || said.takenIn === conversation;
    this.#publish({ ...BLANK, watched: conversation, isOpen, outbox: outbox.filter(isOfIt) });
    if (conversation) this.#ask(conversation, null);
  }

  say(frame: SayFrame): void {
    if (this.#state.outbox.some((said) => said.frame.id === frame.id)) return;
    this.#publish({ outbox: afterSay(this.#state.outbox, frame), refusal: null, refused: null });
    this.#send(frame);
  }

  #send(frame: ClientFrame): void {
    const ask = this.#isStillHere;
    if (!ask) {
      this.#connection.say(frame);
      return;
    }
    this.#order = this.#order.then(async () => {
      if (await ask()) this.#connection.say(frame);
    });
  }

  stop(): void {
    const { watched } = this.#state;
    if (watched) this.#press({ type: "stop", conversation: watched });
  }

  goOn(message: string): void {
    const { watched } = this.#state;
    if (watched) this.#press({ type: "continue", conversation: watched, message });
  }

  /** On the next connection, if there is none: the last thing that was pressed is what is meant. */
  #press(frame: ClientFrame): void {
    if (this.#state.isOpen) this.#send(frame);
    else this.#wish = frame;
  }

  addOlder(conversation: string, messages: readonly Message[]): void {
    if (conversation !== this.#state.watched) return;
    this.#publish({ thread: withOlder(this.#state.thread, messages) });
  }

  #greeting(): ClientFrame[] {
    const { thread, outbox, watched } = this.#state;
    this.#isAsking = false;
    const watch: ClientFrame[] = watched
      ? [{ type: "watch", conversation: watched, cursor: thread.cursor }]
      : [];
    const wishes = this.#wish ? [this.#wish] : [];
    this.#wish = null;
    return [...watch, ...unsent(outbox), ...wishes];
  }

  #linked(isOpen: boolean): void {
    const { outbox } = this.#state;
    this.#publish(isOpen ? { isOpen } : { isOpen, outbox: afterBreak(outbox) });
  }

  #ask(conversation: string, cursor: number | null): void {
    this.#connection.say({ type: "watch", conversation, cursor });
  }

  #hear(frame: ServerFrame): void {
    switch (frame.type) {
      case "accepted":
        this.#accepted(frame.id, frame.conversation);
        break;
      case "refused":
        this.#refused(
          frame.id,
          new ApiError(frame.problem.status, frame.problem.detail, frame.problem),
        );
        break;
      default:
        this.#heardLog(frame);
    }
  }

  #accepted(id: string, conversation: string): void {
    const said = this.#state.outbox.find(({ frame }) => frame.id === id);
    const outbox = afterAccepted(this.#state.outbox, id, conversation);
    const isFirst = said?.frame.conversation === null && this.#state.watched === null;
    this.#publish(isFirst ? { outbox, begun: conversation } : { outbox });
  }

  #refused(id: string | null, refusal: ApiError): void {
    const refused = this.#state.outbox.find(({ frame }) => frame.id === id)?.frame ?? null;
    const outbox = id ? afterRefused(this.#state.outbox, id) : this.#state.outbox;
    this.#publish({ outbox, refusal, refused });
    if (id === null && refusal.status >= 500) this.#watchAgain();
  }

  /** What was refused may have been the watch: a server that can't now can later. */
  #watchAgain(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(
      () => {
        const { watched, thread } = this.#state;
        if (watched) this.#ask(watched, this.#isAsking ? null : thread.cursor);
      },
      backoffMs(this.#failures++, Math.random()),
    );
  }

  #heardLog(frame: LogFrame): void {
    const { thread, watched } = this.#state;
    this.#failures = 0;
    if (frame.type === "conversation" && frame.conversation.id !== watched) return;
    const after = afterFrame(thread, frame);
    if (after) this.#show(after, frame);
    // Before the first snapshot there is nothing to build on, and it is on its way.
    else if (thread.cursor !== null) this.#askAnew();
  }

  #show(after: Thread, frame: LogFrame): void {
    const { thread, outbox } = this.#state;
    if (after === thread) return;
    if (frame.type === "conversation") this.#isAsking = false;
    this.#publish({ thread: after, outbox: afterShown(outbox, frame, thread) });
  }

  #askAnew(): void {
    const { watched } = this.#state;
    if (!watched || this.#isAsking) return;
    this.#isAsking = true;
    this.#ask(watched, null);
  }

  #publish(change: Partial<TalkState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** What is being sent in the conversation that is shown, or in the one that came of it. */
export function sendingIn({ outbox, watched, begun }: TalkState): SayFrame[] {
  return sending(outbox, watched ?? begun);
}
