/** Days of a calendar as `2026-11-22`: which one it is depends on the zone, their order does not. */

export interface Range {
  from: string;
  to: string;
}

export const RANGES = ["7d", "30d", "90d", "month", "lastMonth"] as const;
export type RangeName = (typeof RANGES)[number];

const LENGTHS = { "7d": 7, "30d": 30, "90d": 90 } as const;
const DAY_MS = 86_400_000;
/** The api answers for no more. */
export const DAYS_MOST = 400;

const FORMATS = new Map<string | null, Intl.DateTimeFormat>();

/** The day of an instant (milliseconds) in a zone; null: the browser's. */
export function dayOf(instant: number, zone: string | null): string {
  const format = FORMATS.get(zone) ?? dayFormat(zone);
  FORMATS.set(zone, format);
  return format.format(instant);
}

function dayFormat(zone: string | null): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-CA", {
    ...(zone ? { timeZone: zone } : {}),
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
}

export function isDay(text: string | null): text is string {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && addDays(text, 0) === text;
}

export function addDays(day: string, count: number): string {
  const at = Date.parse(`${day}T00:00:00Z`) + count * DAY_MS;
  return Number.isNaN(at) ? "" : new Date(at).toISOString().slice(0, 10);
}

export function rangeOf(name: RangeName, today: string): Range {
  if (name === "month") return { from: firstOfMonth(today), to: today };
  if (name === "lastMonth") {
    const to = addDays(firstOfMonth(today), -1);
    return { from: firstOfMonth(to), to };
  }
  return { from: addDays(today, 1 - LENGTHS[name]), to: today };
}

function firstOfMonth(day: string): string {
  return `${day.slice(0, 8)}01`;
}

/** Why nobody can ask for a range that somebody typed. */
export function rangeProblem({ from, to }: Range) {
  if (!isDay(from) || !isDay(to)) return "fault.required";
  if (from > to) return "usage.wrongWay";
  return addDays(from, DAYS_MOST) <= to ? "usage.tooLong" : null;
}

export function spansYears({ from, to }: Range): boolean {
  return from.slice(0, 4) !== to.slice(0, 4);
}

/** Every day of a range, the first ones of one that is too long. */
export function daysIn({ from, to }: Range): string[] {
  const days: string[] = [];
  for (let day = from; day <= to && days.length < DAYS_MOST; day = addDays(day, 1)) days.push(day);
  return days;
}
