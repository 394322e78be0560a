import type { Frame, Link } from "./frames";
import { type Source, Stream } from "./stream";
import { afterReport, fromSnapshot, toSnapshot, type World } from "./world";

type Send = (frame: Frame) => void;

/** One stream for many tabs: whoever joins late is told at once how things stand. */
export class Hub {
  readonly #members = new Set<Send>();
  readonly #stream: Stream;
  #world: World | null = null;
  #link: Link = { state: "connecting" };

  constructor(open: (address: string) => Source) {
    this.#stream = new Stream(
      {
        onLink: (link) => {
          this.#link = link;
          this.#tell({ kind: "link", link });
        },
        onSnapshot: (snapshot) => {
          this.#world = fromSnapshot(snapshot);
          this.#tell({ kind: "snapshot", snapshot });
        },
        onReport: (report) => {
          if (this.#world) this.#world = afterReport(this.#world, report);
          this.#tell({ kind: "report", report });
        },
      },
      open,
    );
    this.#stream.connect();
  }

  join(send: Send): void {
    this.#members.add(send);
    send({ kind: "link", link: this.#link });
    if (this.#world) send({ kind: "snapshot", snapshot: toSnapshot(this.#world) });
  }

  leave(send: Send): void {
    this.#members.delete(send);
  }

  retry(): void {
    this.#stream.retry();
  }

  #tell(frame: Frame): void {
    for (const send of this.#members) send(frame);
  }
}
