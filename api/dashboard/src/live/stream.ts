import type { Report, Snapshot } from "../api/views";
import { parseJson } from "../lib/json";
import { backoffMs } from "./backoff";
import type { Link } from "./frames";
import type { Presence } from "./presence";

const ADDRESS = "/agent/reports/stream";
/** The server says something every 15 s; a line that is silent for so long is dead. */
const SILENCE_MS = 40_000;

/** The part of an EventSource that is used here: a test puts its own in place. */
export interface Source {
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
}

export interface Hearing {
  onSnapshot(snapshot: Snapshot): void;
  onReport(report: Report): void;
  onLink(link: Link): void;
  /** What was heard so far may be somebody else's. */
  onForget(): void;
}

/**
 * One stream that is always there: it reconnects with growing waits and asks for what came after
 * the last report that it heard, if it is still the same person who asks. (An EventSource by itself
 * gives up for good at a 502.)
 */
export class Stream {
  readonly #hearing: Hearing;
  readonly #open: (address: string) => Source;
  readonly #ask: () => Promise<Presence>;
  #source: Source | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #cursor: number | null = null;
  #person: string | null = null;
  /** Counts the questions: only the answer to the last one is heard. */
  #asked = 0;
  #failures = 0;
  #brokenSince: number | null = null;

  constructor(hearing: Hearing, open: (address: string) => Source, ask: () => Promise<Presence>) {
    this.#hearing = hearing;
    this.#open = open;
    this.#ask = ask;
  }

  connect(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = this.#open(addressAfter(this.#cursor));
    this.#source = source;
    this.#alive();
    source.onopen = () => this.#connected();
    source.onerror = () => this.#failed();
    source.addEventListener("snapshot", (event) =>
      this.#heardSnapshot(parseJson<Snapshot>(event.data)),
    );
    source.addEventListener("report", (event) => this.#heardReport(parseJson<Report>(event.data)));
    source.addEventListener("heartbeat", () => this.#alive());
    source.addEventListener("ended", () => this.#ended());
  }

  /** Only a stream that waits is hurried; one that works is left alone. */
  retry(): void {
    if (this.#brokenSince !== null) void this.#resume();
  }

  close(): void {
    this.#asked++;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = null;
  }

  /** A half-open connection says nothing at all, not even that it is broken. */
  #alive(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#failed(), SILENCE_MS);
  }

  /** The session is over, or has other rights: what was heard before may not be ours any more. */
  #ended(): void {
    this.#forget();
    this.#failed();
  }

  #forget(): void {
    this.#cursor = null;
    this.#person = null;
    this.#hearing.onForget();
  }

  /** After a break. A cursor says nothing of whose reports it counts. */
  async #resume(): Promise<void> {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    const presence = await this.#ask();
    if (asked !== this.#asked) return;
    if (presence.kind === "unknown") return this.#failed();
    if (presence.kind === "nobody") return this.#over();
    if (presence.id !== this.#person) this.#forget();
    this.connect();
  }

  #connected(): void {
    this.#asked++;
    this.#alive();
    this.#failures = 0;
    this.#brokenSince = null;
    this.#hearing.onLink({ state: "connected", since: Date.now() });
  }

  #failed(): void {
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = null;
    const now = Date.now();
    this.#brokenSince ??= now;
    const wait = this.#resumeLater();
    this.#hearing.onLink({ state: "broken", since: this.#brokenSince, retryAt: now + wait });
  }

  /** Somebody may sign in again, in another tab. */
  #over(): void {
    this.#forget();
    this.#resumeLater();
    this.#hearing.onLink({ state: "over" });
  }

  /** How many milliseconds later. */
  #resumeLater(): number {
    const wait = backoffMs(this.#failures++, Math.random());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#resume(), wait);
    return wait;
  }

  #heardSnapshot(snapshot: Snapshot): void {
    this.#alive();
    // Also when it is behind: a server that lost its log counts anew.
    this.#cursor = snapshot.cursor;
    this.#person = snapshot.person.id;
    this.#hearing.onSnapshot(snapshot);
  }

  #heardReport(report: Report): void {
    this.#alive();
    if (this.#cursor !== null && report.id <= this.#cursor) return;
    this.#cursor = report.id;
    this.#hearing.onReport(report);
  }
}

function addressAfter(cursor: number | null): string {
  return cursor === null ? ADDRESS : `${ADDRESS}?cursor=${cursor}`;
}
