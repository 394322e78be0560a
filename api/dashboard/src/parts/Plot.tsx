import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import UPlot from "uplot";
import { minute } from "../words/formats";
import classes from "./Chart.module.css";
import { type Column, isTimed, layersOf, type Unit } from "./columns";
import { useFigures } from "./figures";

const HEIGHT = 190;
const COLOURS = 6;

type Figures = ReturnType<typeof useFigures>;

interface PlotProps {
  columns: readonly Column[];
  count: number;
  unit: Unit;
  kind: "line" | "bar";
  /** Told which column is under the pointer; null: none. */
  show: (column: number | null) => void;
}

/** The drawing itself, drawn anew when its figures, the theme or its width change. */
export default function Plot(props: PlotProps) {
  const { ref, width } = useElementSize();
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  const figures = useFigures();
  const drawn = JSON.stringify([props.columns, props.count, props.unit, props.kind]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `drawn` stands for the figures
  useEffect(() => {
    if (!place.current || width === 0) return;
    const plot = new UPlot(
      optionsOf(props, width, paletteOf(place.current), figures),
      dataOf(props),
      place.current,
    );
    return () => plot.destroy();
  }, [drawn, width, scheme, figures.language, figures.zone]);
  return (
    <div ref={ref} className={classes.canvas}>
      <div ref={place} />
    </div>
  );
}

interface Palette {
  series: string[];
  text: string;
  line: string;
}

/** Colours by the theme: a canvas knows none of a style sheet's. */
function paletteOf(element: HTMLElement): Palette {
  const styles = getComputedStyle(element);
  const colour = (name: string) => styles.getPropertyValue(name).trim();
  return {
    series: Array.from({ length: COLOURS }, (_, number) => colour(`--series-${number}`)),
    text: colour("--muted"),
    line: colour("--line"),
  };
}

/** The first layer of a stack is the lowest, so it is painted last. */
function orderOf({ count, kind }: PlotProps): number[] {
  const order = Array.from({ length: count }, (_, number) => number);
  return kind === "bar" ? order.reverse() : order;
}

function dataOf(props: PlotProps): UPlot.AlignedData {
  const { columns, count, kind } = props;
  const layers = layersOf(columns, count, kind === "bar");
  return [placesOf(columns), ...orderOf(props).map((number) => layers[number] ?? [])];
}

/** Labels stand at 0, 1, 2 and so on. */
function placesOf(columns: readonly Column[]): number[] {
  return isTimed(columns)
    ? columns.map(({ at }) => Number(at))
    : columns.map((_, number) => number);
}

function optionsOf(
  props: PlotProps,
  width: number,
  palette: Palette,
  figures: Figures,
): UPlot.Options {
  const { columns, unit, kind, show } = props;
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), figures.zone),
    cursor: { y: false, drag: { x: false, y: false }, points: { show: kind === "line" } },
    hooks: { setCursor: [({ cursor }) => show(cursor.idx ?? null)] },
    scales: {
      x: { time: isTimed(columns), range: spread(placesOf(columns), kind) },
      y: { range: (_, min, max) => [Math.min(0, min), Math.max(max * 1.08, min + 1)] },
    },
    axes: [
      xAxis(columns, palette, figures),
      {
        ...axisOf(palette),
        size: 68,
        values: (_, splits) => ticksOf(splits, unit, figures),
      },
    ],
    series: [{}, ...orderOf(props).map((number) => seriesOf(number, kind, palette))],
  };
}

/** Figures beside the axis. There is no half micro-dollar, and nothing is said twice. */
function ticksOf(splits: number[], unit: Unit, { tick }: Figures): string[] {
  const texts = splits.map((value) =>
    unit === "seconds" || Number.isInteger(value)
      ? tick(value, unit).replace(/(\.\d\d)0+$/, "$1")
      : "",
  );
  return texts.map((text, number) => (text === texts[number - 1] ? "" : text));
}

/** Bars at the ends need their halves, too; a single one, a place to stand. */
function spread(places: readonly number[], kind: "line" | "bar"): [number, number] {
  const [first, last] = [places[0] ?? 0, places.at(-1) ?? 0];
  if (first === last) return [first - 1, last + 1];
  const half = kind === "bar" ? (last - first) / (places.length - 1) / 2 : 0;
  return [first - half, last + half];
}

function axisOf(palette: Palette): UPlot.Axis {
  return {
    stroke: palette.text,
    font: "12px Inter Variable, Noto Sans KR, sans-serif",
    grid: { stroke: palette.line, width: 1 },
    ticks: { show: false },
  };
}

function xAxis(columns: readonly Column[], palette: Palette, figures: Figures): UPlot.Axis {
  const axis: UPlot.Axis = { ...axisOf(palette), size: 30, grid: { show: false } };
  if (isTimed(columns)) return { ...axis, values: timeValues(figures) };
  const longest = Math.max(...columns.map(({ at }) => shortened(at).length));
  return {
    ...axis,
    space: Math.max(64, 8 * longest),
    incrs: [1, 2, 5, 10, 20, 50, 100, 500, 1000],
    values: (_, splits) => splits.map((place) => shortened(columns[place]?.at)),
  };
}

const DAY = 86_400;

function timeValues({ language, zone }: Figures) {
  const day = new Intl.DateTimeFormat(language, {
    month: "numeric",
    day: "numeric",
    timeZone: zone,
  });
  return (_: UPlot, splits: number[], _axis: number, _space: number, step: number) =>
    splits.map((seconds) => {
      const time = new Date(seconds * 1000);
      const at = minute(seconds * 1000, language, zone);
      return step >= DAY || at === "00:00" ? day.format(time) : at;
    });
}

function shortened(label: string | number | undefined): string {
  const text = String(label ?? "");
  return text.length > 14 ? `${text.slice(0, 13)}…` : text;
}

function seriesOf(number: number, kind: "line" | "bar", palette: Palette): UPlot.Series {
  const colour = palette.series[number % COLOURS] ?? palette.text;
  if (kind === "line") {
    // A hole is another series' point: this one has nothing to say there.
    return { stroke: colour, width: 2, spanGaps: true, points: { fill: colour, size: 5 } };
  }
  return {
    stroke: colour,
    fill: colour,
    width: 0,
    points: { show: false },
    paths: UPlot.paths.bars?.({ size: [0.62, 56], radius: 0.12 }),
  };
}
