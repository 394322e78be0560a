import type { Fields } from "./json";
import type { ModelShare } from "./models";

/** A picture that a tool gave back, as a data address. */
export interface Picture {
  address: string;
}

export interface ToolResult {
  text: string;
  pictures: readonly Picture[];
  isError: boolean;
}

export interface Base {
  /** Stable over the life of the item: React's key. */
  key: string;
  /** The tool call of the sub-agent that it belongs to, null for the agent itself. */
  parent: string | null;
  time: string | null;
}

/** What an item shows. `isStreaming`: more of it is on its way. */
export type Body =
  | { kind: "begin"; model: string; tools: readonly string[] }
  | { kind: "thinking"; text: string; isStreaming: boolean }
  | { kind: "text"; text: string; isStreaming: boolean }
  | {
      kind: "tool";
      id: string;
      name: string;
      input: Fields;
      /** The input while it is still being written: a piece of JSON. */
      draft: string;
      result: ToolResult | null;
      endTime: string | null;
    }
  | { kind: "output"; stream: "stdout" | "stderr"; lines: readonly string[] }
  | { kind: "note"; note: Note; text: string }
  | { kind: "result"; isError: boolean; text: string; turns: number | null; ms: number | null }
  | { kind: "end"; reason: string; text: string };

/** What the page shows, in order. */
export type Item = Base & Body;

export type Note =
  | "resumed"
  | "retry"
  | "stalled"
  | "compacted"
  | "cut"
  | "lost"
  | "noResult"
  | "leftOut"
  | "noFiles"
  | "undelivered"
  | "said";
export type ItemOf<Kind extends Item["kind"]> = Extract<Item, { kind: Kind }>;

export interface Timeline {
  readonly items: readonly Item[];
  /** The agent's working folder: paths below it are shown without it. */
  readonly folder: string;
  /** The message that is being written piece by piece; its items' keys are `live:...`. */
  readonly streaming: string | null;
  /** How many items were ever made: for keys. */
  readonly made: number;
  /** What the agent's program said of each model, each time it ended. */
  readonly models: readonly ModelShare[];
}

export const EMPTY: Timeline = { items: [], folder: "", streaming: null, made: 0, models: [] };
