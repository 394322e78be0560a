/** Steps by what a person looks for, and where the errors are. */
import type { Item } from "./items";

export const KINDS = ["words", "tools", "output", "notes", "errors"] as const;
export type StepKind = (typeof KINDS)[number];

const OF: Record<Item["kind"], StepKind> = {
  begin: "notes",
  thinking: "words",
  text: "words",
  tool: "tools",
  output: "output",
  note: "notes",
  cut: "notes",
  result: "words",
  end: "notes",
};

const BAD_NOTES = new Set([
  "retry",
  "stalled",
  "lost",
  "noResult",
  "leftOut",
  "noFiles",
  "undelivered",
]);

export function isError(item: Item): boolean {
  switch (item.kind) {
    case "tool":
      return item.result?.isError ?? false;
    case "result":
      return item.isError;
    case "note":
      return BAD_NOTES.has(item.note);
    default:
      return false;
  }
}

function isOf(item: Item, kind: StepKind): boolean {
  return kind === "errors" ? isError(item) : OF[item.kind] === kind;
}

/** null: all of them. */
export function ofKind(items: readonly Item[], kind: StepKind | null): readonly Item[] {
  return kind === null ? items : items.filter((item) => isOf(item, kind));
}

export function countKinds(items: readonly Item[]): Record<StepKind, number> {
  const counts = { words: 0, tools: 0, output: 0, notes: 0, errors: 0 };
  for (const item of items) {
    // A long output is one, in however many blocks.
    if (!(item.kind === "output" && item.isContinued)) counts[OF[item.kind]] += 1;
    if (isError(item)) counts.errors += 1;
  }
  return counts;
}

/** The key of the error after (or before) a step, going round at the end. */
export function nextError(
  items: readonly Item[],
  from: string | null,
  step: 1 | -1 = 1,
): string | null {
  const errors = items.filter(isError).map((item) => item.key);
  if (errors.length === 0) return null;
  const at = from === null ? -1 : errors.indexOf(from);
  const next = at < 0 ? (step > 0 ? 0 : errors.length - 1) : at + step;
  return errors[(next + errors.length) % errors.length] ?? null;
}

/** When the attempt's first step that has a time came, in milliseconds. */
export function beginOf(items: readonly Item[]): number | null {
  const first = items.find((item) => timeOf(item) !== null);
  return first ? timeOf(first) : null;
}

/** Milliseconds from there to a step. */
export function offsetOf(item: Item, begin: number | null): number | null {
  const time = timeOf(item);
  return time === null || begin === null ? null : Math.max(0, time - begin);
}

function timeOf(item: Item): number | null {
  const time = item.time ? Date.parse(item.time) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}
