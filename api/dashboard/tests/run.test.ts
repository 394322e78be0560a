import { expect, test } from "vitest";
import type { Execution } from "../src/api/views";
import { comparable, difference, figuresOf, otherChanges, shownValue } from "../src/lib/compare";
import { pictureBeside, previewKind } from "../src/lib/previews";
import { spread } from "../src/lib/spread";
import { EMPTY } from "../src/transcript/items";
import { beginOf, countKinds, isError, nextError, offsetOf, ofKind } from "../src/transcript/kinds";
import { costByModel, sharesOf } from "../src/transcript/models";
import { afterEvents } from "../src/transcript/timeline";
import { run, transcriptOf } from "./samples";

const SALES = afterEvents(EMPTY, transcriptOf("sales")).items;

function failed(id: string) {
  return [
    {
      type: "assistant",
      timestamp: "2026-11-22T11:00:00Z",
      message: { id: `m${id}`, content: [{ type: "tool_use", id, name: "Bash", input: {} }] },
    },
    {
      type: "user",
      timestamp: "2026-11-22T11:00:02.5Z",
      message: { content: [{ type: "tool_result", tool_use_id: id, is_error: true, content: "" }] },
    },
  ];
}

test("every step of a real run is of one kind, and each is counted", () => {
  const counts = countKinds(SALES);
  expect(counts).toEqual({ words: 4, tools: 3, output: 0, notes: 2, errors: 0 });
  expect(ofKind(SALES, "tools").map((item) => item.kind)).toEqual(["tool", "tool", "tool"]);
  expect(ofKind(SALES, null)).toBe(SALES);
});

test("jumping goes from error to error and round", () => {
  const { items } = afterEvents(EMPTY, [...failed("a"), ...transcriptOf("hello"), ...failed("b")]);
  const keys = items.filter(isError).map((item) => item.key);
  expect(keys).toHaveLength(2);
  const [first, last] = [keys[0] ?? "", keys[1] ?? ""];
  expect(nextError(items, null)).toBe(first);
  expect(nextError(items, first)).toBe(last);
  expect(nextError(items, last)).toBe(first);
  expect(nextError(items, first, -1)).toBe(last);
  expect(nextError(SALES, null)).toBeNull();
});

test("steps know how long after the first one they came", () => {
  const { items } = afterEvents(EMPTY, [
    ...failed("a"),
    { type: "heliostat", subtype: "end", reason: "AgentError", time: "2026-11-22T11:01:00Z" },
  ]);
  const begin = beginOf(items);
  expect(items.map((item) => offsetOf(item, begin))).toEqual([0, 60_000]);
});

test("cost is split as the agent's program says, to the micro-dollar", () => {
  const shares = transcriptOf("sales").flatMap(sharesOf);
  expect(costByModel(shares, 138_393)).toEqual([
    { model: "scripted/demo", costMicros: 138_393, tokens: 47_380 },
  ]);
  const two = costByModel(
    [
      { model: "small", cost: 1, tokens: 5 },
      { model: "large", cost: 2, tokens: 5 },
    ],
    100,
  );
  expect(two).toEqual([
    { model: "large", costMicros: 67, tokens: 5 },
    { model: "small", costMicros: 33, tokens: 5 },
  ]);
  expect(costByModel([], 5)).toEqual([]);
  expect(costByModel([{ model: "free", cost: 0, tokens: 1 }], 0)[0]?.costMicros).toBe(0);
});

test.each([
  ["chart.png", true, "picture"],
  ["report.md", true, "markdown"],
  ["sales.CSV", true, "table"],
  ["notes.txt", true, "text"],
  ["data.json", true, "json"],
  ["page.html", false, "none"],
  ["drawing.svg", false, "none"],
  ["script.md", false, "none"],
] as const)("%s, shown %s, is previewed as %s", (path, isShown, kind) => {
  expect(previewKind({ path, isShown })).toBe(kind);
});

test.each([
  ["chart.png", "docs/chart.png"],
  ["./chart.png", "docs/chart.png"],
  ["../top%20view.png", "top view.png"],
  ["https://example.com/chart.png", null],
  ["//example.com/chart.png", null],
  ["/docs/chart.png", null],
  ["data:image/png;base64,AAAA", null],
  ["missing.png", null],
  ["report.md", null],
])("a document's picture %s is %s of the same run", (source, path) => {
  const file = (name: string) => ({
    id: name,
    attempt: 1,
    path: name,
    size: 1,
    sha256: "",
    isShown: true,
  });
  const files = ["docs/chart.png", "top view.png", "docs/report.md"].map(file);
  expect(pictureBeside(file("docs/report.md"), source, files)?.path ?? null).toBe(path);
});

test("only whole JSON is laid out", () => {
  expect(spread('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(spread('{"a":')).toBe('{"a":');
});

test("JSON is laid out as JSON.stringify does it", () => {
  const value = { a: [1, '{[,:]} "x" \\', [], {}, [[null, true]], { b: { c: "\n" } }], "": -1.5 };
  for (const text of [JSON.stringify(value), JSON.stringify(value, null, 7), '"x"', "7", "[]"]) {
    expect(spread(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
  }
});

test("numbers of JSON are shown as they are written", () => {
  const numbers = ["12345678901234567890", "1.10", "1e400", "-0", "0.1000000000000000055"];
  expect(spread(`[${numbers.join(",")}]`)).toBe(`[\n  ${numbers.join(",\n  ")}\n]`);
  expect(spread('{"a":1,"a":2}')).toBe('{\n  "a": 1,\n  "a": 2\n}');
});

test("two runs differ by figures that are known of both", () => {
  const left = run("a", { costMicros: 200, durationSeconds: null });
  const right = run("b", { costMicros: 150, durationSeconds: 4 });
  const figures = figuresOf(left, right);
  expect(figures.cost).toEqual({ left: 200, right: 150, change: -50, percent: -25 });
  expect(figures.duration).toEqual({ left: null, right: 4, change: null, percent: null });
  expect(difference(0, 5).percent).toBeNull();
});

test("what figures and results tell is no field that differs", () => {
  const change = (field: string) => ({ field, before: 1, after: 2 });
  const fields = ["costMicros", "usage.inputTokens", "usage", "result", "spec.input", "phase"];
  expect(otherChanges(fields.map(change)).map(({ field }) => field)).toEqual([
    "spec.input",
    "phase",
  ]);
});

test("values of fields are shown as they are written", () => {
  expect(shownValue("text")).toBe("text");
  expect(shownValue(null)).toBe("");
  expect(shownValue({ a: 1 })).toBe('{\n  "a": 1\n}');
});

test("a run is held against others of its agent, a test run against tests of the same one", () => {
  const real = [run("a", { agent: "sales" }), run("b", { agent: "sales" }), run("c")];
  const tests = [run("t", { agent: "t-1", testOf: "x" }), run("u", { agent: "t-2", testOf: "x" })];
  const others = [run("v", { agent: "t-3", testOf: "y" })];
  const all = [...real, ...tests, ...others];
  const ids = (of: Execution) => comparable(of, all).map(({ id }) => id);
  expect(real.slice(0, 1).map(ids)).toEqual([["b"]]);
  expect(tests.slice(0, 1).map(ids)).toEqual([["u"]]);
});
