import { expect, test } from "vitest";
import { drawingOf } from "../src/chat/charts";
import { columnsOf, isTimed, layersOf } from "../src/parts/columns";

const HAIKU = {
  name: "haiku",
  points: [
    ["Mon", 5],
    ["Tue", 7],
  ],
} as const;
const OPUS = {
  name: "opus",
  points: [
    ["Tue", 40],
    ["Wed", 1],
  ],
} as const;

test("points of one place stand in one column, labels in the order in which they come", () => {
  expect(columnsOf([HAIKU, OPUS])).toEqual([
    { at: "Mon", values: [5, null] },
    { at: "Tue", values: [7, 40] },
    { at: "Wed", values: [null, 1] },
  ]);
});

test("instants are sorted", () => {
  const columns = columnsOf([
    { name: "late", points: [[90, 1]] },
    { name: "early", points: [[30, 2]] },
  ]);
  expect(columns.map(({ at }) => at)).toEqual([30, 90]);
  expect(isTimed(columns)).toBe(true);
  expect(isTimed(columnsOf([HAIKU]))).toBe(false);
});

test("a stack stands on what is below it, a line by itself keeps its holes", () => {
  const columns = columnsOf([HAIKU, OPUS]);
  expect(layersOf(columns, 2, true)).toEqual([
    [5, 7, 0],
    [5, 47, 1],
  ]);
  expect(layersOf(columns, 2, false)).toEqual([
    [5, 7, null],
    [null, 40, 1],
  ]);
});

test("the chat's instants become a time axis, and its dollars are micro-dollars", () => {
  const chart = (points: [string, number][]) =>
    drawingOf({
      type: "chart",
      title: "cost",
      unit: "usdMicros",
      series: [{ name: "runs", points }],
    });
  const times = chart([
    ["2026-11-22T11:00:00Z", 5],
    ["2026-11-22T12:00:00+00:00", 7],
  ]);
  expect(times).toEqual({
    unit: "micros",
    kind: "line",
    series: [
      {
        name: "runs",
        points: [
          [1_795_345_200, 5],
          [1_795_348_800, 7],
        ],
      },
    ],
  });
  expect(
    chart([
      ["Seoul", 5],
      ["Busan", 7],
    ]).kind,
  ).toBe("bar");
  expect(chart([["2026-11-22T11:00:00Z", 5]]).kind).toBe("bar");
});
