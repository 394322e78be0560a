/** What two runs of an agent differ in, as figures. */

import type { Execution, FieldChange } from "../api/views";
import { printJson } from "./json";

export interface Difference {
  left: number | null;
  right: number | null;
  /** null where one of them is not known. */
  change: number | null;
  /** In hundredths of the left one; null where that is nothing. */
  percent: number | null;
}

export function difference(left: number | null, right: number | null): Difference {
  if (left === null || right === null) return { left, right, change: null, percent: null };
  const change = right - left;
  return { left, right, change, percent: left === 0 ? null : Math.round((change / left) * 100) };
}

export function figuresOf(left: Execution, right: Execution) {
  return {
    cost: difference(left.costMicros, right.costMicros),
    duration: difference(left.durationSeconds, right.durationSeconds),
    requests: difference(left.usage.requests, right.usage.requests),
    tokens: difference(allTokens(left), allTokens(right)),
    attempts: difference(left.attempts.length, right.attempts.length),
  };
}

function allTokens({ usage }: Execution): number {
  return usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}

/** Fields that the figures do not tell already. */
export function otherChanges(changes: readonly FieldChange[]): FieldChange[] {
  return changes.filter(
    ({ field }) => !/^(costMicros|durationSeconds|attempts|result|usage\b.*)$/.test(field),
  );
}

/** A field's value in one piece: text as it is, everything else as JSON. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : printJson(value, 2);
}

/** What a run is held against: others of its agent; a test run's are the tests of the same agent,
 * each of which has a resource of its own. */
export function comparable(run: Execution, runs: readonly Execution[]): Execution[] {
  return runs.filter(
    (each) =>
      each.id !== run.id &&
      (run.testOf ? each.testOf === run.testOf : each.agent === run.agent && !each.testOf),
  );
}
