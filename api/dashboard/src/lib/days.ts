/** Days of a calendar as `2026-11-22`: which one it is depends on the zone, their order does not. */

export interface Range {
  from: string;
  to: string;
}

export const RANGES = ["7d", "30d", "90d", "month", "lastMonth"] as const;
export type RangeName = (typeof RANGES)[number];

const LENGTHS = { "7d": 7, "30d": 30, "90d": 90 } as const;
const DAY_MS = 86_400_000;
/** A year and a day: more columns than that tell nobody anything. */
const DAYS_MOST = 366;

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

/** Every day of a range, the first ones of one that is too long. */
export function daysIn({ from, to }: Range): string[] {
  const days: string[] = [];
  for (let day = from; day <= to && days.length < DAYS_MOST; day = addDays(day, 1)) days.push(day);
  return days;
}
