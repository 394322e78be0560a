import type { Frame, Link } from "./frames";
import type { Presence } from "./presence";
import { type Source, Stream } from "./stream";
import { afterReport, fromSnapshot, toSnapshot, type World } from "./world";

type Send = (frame: Frame) => void;

const CONNECTING: Link = { state: "connecting" };

/** One stream for many tabs: whoever joins late is told at once how things stand. */
export class Hub {
  readonly #members = new Set<Send>();
  /** Who was not told yet how things stand. */
  readonly #waiting = new Set<Send>();
  readonly #stream: Stream;
  #world: World | null = null;
  #link: Link = CONNECTING;

  constructor(open: (address: string) => Source, ask: () => Promise<Presence>) {
    this.#stream = new Stream(
      {
        onLink: (link) => {
          this.#link = link;
          this.#tell({ kind: "link", link });
          if (link.state === "connected") this.#catchUp();
        },
        onSnapshot: (snapshot) => {
          this.#world = fromSnapshot(snapshot);
          this.#tell({ kind: "snapshot", snapshot });
          this.#waiting.clear();
        },
        onReport: (report) => {
          if (this.#world) this.#world = afterReport(this.#world, report);
          this.#tell({ kind: "report", report });
        },
        onForget: () => {
          this.#world = null;
        },
      },
      open,
      ask,
    );
    this.#stream.connect();
  }

  join(send: Send): void {
    this.#members.add(send);
    this.#waiting.add(send);
    // With the page that was just opened came a session, if there was none.
    send({ kind: "link", link: this.#link.state === "over" ? CONNECTING : this.#link });
    // What was heard is theirs as long as there is a connection.
    if (this.#link.state === "connected") this.#catchUp();
    else this.#stream.retry();
  }

  #catchUp(): void {
    if (!this.#world) return;
    const snapshot = toSnapshot(this.#world);
    for (const send of this.#waiting) send({ kind: "snapshot", snapshot });
    this.#waiting.clear();
  }

  leave(send: Send): void {
    this.#members.delete(send);
    this.#waiting.delete(send);
  }

  retry(): void {
    this.#stream.retry();
  }

  #tell(frame: Frame): void {
    for (const send of this.#members) send(frame);
  }
}
