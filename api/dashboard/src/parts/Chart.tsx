import { Suspense, useState } from "react";
import { fetched } from "../lib/fetched";
import classes from "./Chart.module.css";
import { type Column, columnsOf, type Series, type Unit } from "./columns";
import { useFigures } from "./figures";

const Plot = fetched(() => import("./Plot"));

export interface ChartProps {
  title: string;
  /** What the numbers are; they are shown as such. */
  unit: Unit;
  /** Points are `[label, number]` or `[seconds since the epoch, number]`: a time axis. */
  series: readonly Series[];
  /** Bars of several series stand on each other. */
  kind: "line" | "bar";
}

/** A chart, drawn once its library is here; the same figures as a table for a screen reader. */
export function Chart({ title, unit, series, kind }: ChartProps) {
  const [shown, show] = useState<number | null>(null);
  const columns = columnsOf(series);
  if (columns.length === 0) return null;
  return (
    <figure className={classes.chart}>
      <figcaption className={classes.title}>{title}</figcaption>
      <div className={classes.plot} aria-hidden="true">
        <Suspense fallback={null}>
          <Plot columns={columns} count={series.length} unit={unit} kind={kind} show={show} />
        </Suspense>
      </div>
      <Legend series={series} unit={unit} column={shown === null ? undefined : columns[shown]} />
      <div className={classes.read}>
        <Table title={title} series={series} unit={unit} columns={columns} />
      </div>
    </figure>
  );
}

/** Which colour is whose, and the figures under the pointer. */
function Legend({
  series,
  unit,
  column,
}: {
  series: readonly Series[];
  unit: Unit;
  column: Column | undefined;
}) {
  const { figure, place } = useFigures();
  return (
    <div className={classes.legend} aria-hidden="true">
      {series.map(({ name }, number) => (
        <span key={name} className={classes.entry} data-series={number % 6}>
          <span className={classes.swatch} />
          {name}
          {column && <b>{figure(column.values[number] ?? null, unit)}</b>}
        </span>
      ))}
      <span className={classes.at}>{column && place(column.at)}</span>
    </div>
  );
}

function Table({
  title,
  series,
  unit,
  columns,
}: {
  title: string;
  series: readonly Series[];
  unit: Unit;
  columns: readonly Column[];
}) {
  const { figure, place } = useFigures();
  return (
    <table>
      <caption>{title}</caption>
      <thead>
        <tr>
          <td />
          {series.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {columns.map(({ at, values }) => (
          <tr key={at}>
            <th scope="row">{place(at)}</th>
            {series.map(({ name }, number) => (
              <td key={name}>{figure(values[number] ?? null, unit)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
