import { expect, test } from "vitest";
import { addDays, dayOf, daysIn, isDay, rangeOf, rangeProblem, spansYears } from "../src/lib/days";

test.each([
  ["2026-11-22T15:30:00Z", "Asia/Seoul", "2026-11-23"],
  ["2026-11-22T14:59:59Z", "Asia/Seoul", "2026-11-22"],
  ["2026-11-22T15:30:00Z", "America/New_York", "2026-11-22"],
  ["2026-11-22T00:30:00Z", "America/New_York", "2026-11-21"],
])("at %s it is in %s the day %s", (instant, zone, day) => {
  expect(dayOf(Date.parse(instant), zone)).toBe(day);
});

test.each([
  ["7d", { from: "2026-02-23", to: "2026-03-01" }],
  ["30d", { from: "2026-01-31", to: "2026-03-01" }],
  ["month", { from: "2026-03-01", to: "2026-03-01" }],
  ["lastMonth", { from: "2026-02-01", to: "2026-02-28" }],
] as const)("%s before and with 1 March", (name, range) => {
  expect(rangeOf(name, "2026-03-01")).toEqual(range);
});

test("every day is there once, also where clocks change", () => {
  expect(daysIn({ from: "2026-10-24", to: "2026-10-27" })).toEqual([
    "2026-10-24",
    "2026-10-25",
    "2026-10-26",
    "2026-10-27",
  ]);
  expect(daysIn(rangeOf("90d", "2026-05-01"))).toHaveLength(90);
  expect(addDays("2024-02-28", 1)).toBe("2024-02-29");
});

test("a range without an end in sight is bounded, by what the api answers", () => {
  expect(daysIn({ from: "0001-01-01", to: "2026-01-01" })).toHaveLength(400);
});

test.each([
  ["2026-10-01", "2026-10-01", null],
  ["2025-01-01", "2026-02-04", null], // 400 days
  ["2025-01-01", "2026-02-05", "usage.tooLong"],
  ["2026-10-02", "2026-10-01", "usage.wrongWay"],
  ["", "2026-10-01", "fault.required"],
  ["2026-10-01", "", "fault.required"],
])("from %s to %s: %s", (from, to, problem) => {
  expect(rangeProblem({ from, to })).toBe(problem);
});

test.each(["2026-02-30", "2026-2-3", "today", "", null])("%s is no day", (text) => {
  expect(isDay(text)).toBe(false);
});

test("a range has one year or two", () => {
  expect(spansYears({ from: "2026-01-01", to: "2026-12-31" })).toBe(false);
  expect(spansYears({ from: "2025-12-31", to: "2026-01-01" })).toBe(true);
});
