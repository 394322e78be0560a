/** Instants and what the clocks of a zone show: for fields in which people type a day and a time. */

/** `2026-12-24T18:00` by the clocks of a zone; empty for what is no instant. */
export function wallTime(instant: string, zone: string): string {
  const at = Date.parse(instant);
  return Number.isNaN(at) ? "" : new Date(at + offset(at, zone)).toISOString().slice(0, 16);
}

/** The instant at which the clocks of a zone show that; null for what is no time. */
export function instantOf(wall: string, zone: string): string | null {
  const shown = Date.parse(`${wall}Z`);
  if (Number.isNaN(shown)) return null;
  // The offset that holds then, which may be another one than at the first guess.
  const guess = shown - offset(shown, zone);
  const instant = shown - offset(guess, zone);
  return new Date(instant).toISOString().replace(".000Z", "Z");
}

/** How far the clocks of a zone are ahead of UTC, in milliseconds. */
function offset(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
  const [year, month, day] = [part("year"), part("month"), part("day")];
  const shown = Date.UTC(year, month - 1, day, part("hour"), part("minute"), part("second"));
  return shown - Math.floor(at / 1000) * 1000;
}
