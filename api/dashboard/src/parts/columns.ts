/** Points of several series, put beside each other by their place on the x axis. */
export type Unit = "micros" | "count" | "seconds";

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [string | number, number])[];
}

export interface Column {
  /** A label, or an instant in seconds since the epoch. */
  readonly at: string | number;
  /** One for each series; null where it has no point. */
  readonly values: readonly (number | null)[];
}

/** Labels stay in the order in which they come, instants are sorted. */
export function columnsOf(series: readonly Series[]): Column[] {
  const found = new Map<string | number, (number | null)[]>();
  series.forEach(({ points }, number) => {
    for (const [at, value] of points) {
      const values = found.get(at) ?? series.map(() => null);
      values[number] = value;
      found.set(at, values);
    }
  });
  const columns = [...found].map(([at, values]) => ({ at, values }));
  return isTimed(columns)
    ? columns.sort((one, other) => Number(one.at) - Number(other.at))
    : columns;
}

export function isTimed(columns: readonly Column[]): boolean {
  return columns.every(({ at }) => typeof at === "number");
}

/** Each series' values; on top of all before it when they are stacked. */
export function layersOf(columns: readonly Column[], count: number, isStacked: boolean) {
  return Array.from({ length: count }, (_, number) =>
    columns.map(({ values }) => {
      if (!isStacked) return values[number] ?? null;
      return values.slice(0, number + 1).reduce<number>((sum, value) => sum + (value ?? 0), 0);
    }),
  );
}
