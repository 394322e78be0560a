/** From a report of usage to what a page shows and what a person keeps of it. */
import type { Tokens, UsageBy, UsageReport, UsageRow } from "../api/views";
import { toCsv } from "./csv";
import { daysIn, isDay, RANGES, type Range, type RangeName, rangeOf } from "./days";

const USUAL: RangeName = "30d";

/** What an address asks for; `range` is null where it names days of its own. */
export function asked(
  query: URLSearchParams,
  today: string,
): Range & { by: UsageBy; range: RangeName | null } {
  const by = query.get("by");
  const grouped = by === "agent" || by === "model" ? by : "day";
  const [from, to] = [query.get("from"), query.get("to")];
  if (isDay(from) && isDay(to) && from <= to) return { by: grouped, range: null, from, to };
  const range = RANGES.find((name) => name === query.get("range")) ?? USUAL;
  return { by: grouped, range, ...rangeOf(range, today) };
}

/** What no agent asked for has a name of ours, in the person's language. */
export function withNames(report: UsageReport, noAgent: string): UsageReport {
  if (report.by !== "agent") return report;
  const rows = report.rows.map((row) => (row.key === "" ? { ...row, label: noAgent } : row));
  return { ...report, rows };
}

const NOTHING: Tokens = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

export function tokensOf(usage: Tokens): number {
  return usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}

/** Every day of the range, those without a row, too. */
export function dayRows(report: UsageReport): UsageRow[] {
  const known = new Map(report.rows.map((row) => [row.key, row]));
  return daysIn(report).map(
    (day) => known.get(day) ?? { key: day, label: day, costMicros: 0, requests: 0, usage: NOTHING },
  );
}

/** In the order in which they are read: the latest day first, else the dearest. */
export function tableRows(report: UsageReport): UsageRow[] {
  return report.rows.toSorted((one, other) =>
    report.by === "day"
      ? other.key.localeCompare(one.key)
      : other.costMicros - one.costMicros || one.label.localeCompare(other.label),
  );
}

/** Bars that a chart has room for. */
const BARS = 8;

/** Names and costs of the dearest, and what all others came to. Two of one name are told apart. */
export function dearest(report: UsageReport, others: string): [string, number][] {
  const rows = tableRows(report).filter((row) => row.costMicros > 0);
  const shown = rows.length > BARS ? rows.slice(0, BARS - 1) : rows;
  const rest = rows.slice(shown.length).reduce((sum, row) => sum + row.costMicros, 0);
  const bars = shown.map(({ key, label, costMicros }): [string, number] => {
    const isTwice = shown.some((other) => other.label === label && other.key !== key);
    return [isTwice ? `${label} ${key.slice(-4)}` : label, costMicros];
  });
  return rest > 0 ? [...bars, [others, rest]] : bars;
}

export function totalsOf(report: UsageReport): { requests: number; tokens: number } {
  return {
    requests: report.rows.reduce((sum, row) => sum + row.requests, 0),
    tokens: report.rows.reduce((sum, row) => sum + tokensOf(row.usage), 0),
  };
}

/** Without it Excel reads a file as the machine's own code page, not as UTF-8. */
const MARK = "\ufeff";

/** Names of columns as the API has them, so that a script reads what a person kept. */
export function usageCsv(report: UsageReport): string {
  const head = [report.by, "costMicros", "requests", ...Object.keys(NOTHING)];
  const rows = tableRows(report).map(({ label, costMicros, requests, usage }) => [
    label,
    costMicros,
    requests,
    usage.inputTokens,
    usage.outputTokens,
    usage.cacheReadTokens,
    usage.cacheWriteTokens,
  ]);
  return MARK + toCsv([head, ...rows]);
}
