import { parseJson } from "../lib/json";
import { backoffMs } from "../live/backoff";
import type { ClientFrame, ServerFrame } from "./frames";

/** The part of a WebSocket that is used here: a test puts its own in place. */
export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent<string>) => void) | null;
}

export interface Speaking {
  /** What a new connection is told first. */
  greeting(): ClientFrame[];
  hear(frame: ServerFrame): void;
  onLink(isOpen: boolean): void;
}

/** One WebSocket that is always there: it reconnects with growing waits and greets each time. */
export class Connection {
  readonly #speaking: Speaking;
  readonly #open: () => Socket;
  #socket: Socket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOpen = false;
  #failures = 0;

  constructor(speaking: Speaking, open: () => Socket) {
    this.#speaking = speaking;
    this.#open = open;
  }

  connect(): void {
    clearTimeout(this.#timer);
    this.#leave();
    const socket = this.#open();
    this.#socket = socket;
    socket.onopen = () => this.#opened(socket);
    socket.onclose = () => this.#failed();
    socket.onmessage = ({ data }) => this.#speaking.hear(parseJson<ServerFrame>(data));
  }

  /** Only a connection that waits is hurried. */
  retry(): void {
    if (!this.#socket) this.connect();
  }

  /** Said now if somebody listens; a greeting says again what must not be lost. */
  say(frame: ClientFrame): void {
    if (this.#isOpen) this.#socket?.send(JSON.stringify(frame));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#leave();
  }

  #opened(socket: Socket): void {
    this.#failures = 0;
    this.#isOpen = true;
    for (const frame of this.#speaking.greeting()) socket.send(JSON.stringify(frame));
    this.#speaking.onLink(true);
  }

  #failed(): void {
    this.#leave();
    this.#timer = setTimeout(() => this.connect(), backoffMs(this.#failures++, Math.random()));
    this.#speaking.onLink(false);
  }

  #leave(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isOpen = false;
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
  }
}
