import type { Fields } from "./json";
import type { LogBlock } from "./log";
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
  | {
      kind: "output";
      stream: "stdout" | "stderr";
      lines: readonly string[];
      /** Characters of all lines. */
      size: number;
      /** Whether the item before is the beginning of the same output. */
      isContinued: boolean;
    }
  | { kind: "note"; note: Note; text: string }
  /** An event that was too large: how many bytes it had, and the beginning of what it said. */
  | { kind: "cut"; bytes: number | null; head: string }
  | { kind: "result"; isError: boolean; text: string; turns: number | null; ms: number | null }
  | { kind: "end"; reason: string; text: string };

/** What the page shows, in order. */
export type Item = Base & Body;

export type Note =
  | "resumed"
  | "retry"
  | "stalled"
  | "compacted"
  | "lost"
  | "noResult"
  | "leftOut"
  | "noFiles"
  | "undelivered"
  | "said";
export type ItemOf<Kind extends Item["kind"]> = Extract<Item, { kind: Kind }>;

/** Lines and characters of a block of output: what one more line lays out anew. */
export const LINES_IN_BLOCK = 100;
export const SIZE_OF_BLOCK = 16_000;

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
  /** What was printed, as the log shows it. */
  readonly log: readonly LogBlock[];
}

export const EMPTY: Timeline = {
  items: [],
  folder: "",
  streaming: null,
  made: 0,
  models: [],
  log: [],
};

/** A timeline while events are written into it; nobody else has it yet. */
export interface Draft extends Timeline {
  items: Item[];
  folder: string;
  streaming: string | null;
  made: number;
  models: readonly ModelShare[];
  log: LogBlock[];
}

export function draftOf(timeline: Timeline): Draft {
  return { ...timeline, items: [...timeline.items], log: [...timeline.log] };
}

export type Common = Omit<Base, "key">;

export function add(draft: Draft, common: Common, body: Body): void {
  draft.made += 1;
  draft.items.push({ ...common, key: `item:${draft.made}`, ...body });
}
