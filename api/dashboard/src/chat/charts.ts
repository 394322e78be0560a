/** A chart of a message, as the chart component takes it. Pure. */
import type { Series, Unit } from "../parts/columns";
import type { PartOf } from "./frames";

const UNITS: Record<string, Unit> = {
  usdMicros: "micros",
  micros: "micros",
  seconds: "seconds",
};
const INSTANT = /^\d{4}-\d{2}-\d{2}T/;

export interface Drawing {
  unit: Unit;
  kind: "line" | "bar";
  series: Series[];
}

/** Instants become a time axis, everything else stays a label. */
export function drawingOf(part: PartOf<"chart">): Drawing {
  const series = part.series.map(({ name, points }) => ({
    name,
    points: points.map(([at, value]) => [placeOf(at), value] as const),
  }));
  const isTimed = series.every(({ points }) => points.every(([at]) => typeof at === "number"));
  const longest = Math.max(0, ...series.map(({ points }) => points.length));
  return {
    unit: UNITS[part.unit] ?? "count",
    kind: isTimed && longest > 1 ? "line" : "bar",
    series,
  };
}

function placeOf(at: string | number): string | number {
  return typeof at === "string" && INSTANT.test(at) ? Date.parse(at) / 1000 : at;
}
