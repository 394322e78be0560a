import type { Report, Snapshot } from "../api/views";

/** How it stands with the stream. Instants are milliseconds since the epoch, by this browser. */
export type Link =
  | { state: "connecting" }
  | { state: "connected"; since: number }
  | { state: "broken"; since: number; retryAt: number }
  /** The server answers, and the session is over. */
  | { state: "over" };

/** What a tab hears from the one stream of the browser. */
export type Frame =
  | { kind: "link"; link: Link }
  | { kind: "snapshot"; snapshot: Snapshot }
  | { kind: "report"; report: Report };

/** What a tab says to it. */
export type Wish = { kind: "retry" } | { kind: "leave" };
