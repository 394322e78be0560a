import { expect, test } from "vitest";
import type { UsageReport, UsageRow, UserKey } from "../src/api/views";
import { keyState, sortedKeys } from "../src/lib/keys";
import { problemOf, valuesOf } from "../src/lib/secrets";
import {
  asked,
  dayRows,
  dearest,
  tableRows,
  totalsOf,
  usageCsv,
  withNames,
} from "../src/lib/usage";

function row(key: string, costMicros: number, label = key): UsageRow {
  const usage = { inputTokens: 10, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 1 };
  return { key, label, costMicros, requests: 1, usage };
}

function report(by: UsageReport["by"], rows: UsageRow[]): UsageReport {
  return {
    by,
    timeZone: "Asia/Seoul",
    from: "2026-11-20",
    to: "2026-11-22",
    rows,
    totalCostMicros: rows.reduce((sum, each) => sum + each.costMicros, 0),
    forecast: null,
  };
}

test("days without usage are there, with nothing", () => {
  const rows = dayRows(report("day", [row("2026-11-21", 50)]));
  expect(rows.map(({ key, costMicros }) => [key, costMicros])).toEqual([
    ["2026-11-20", 0],
    ["2026-11-21", 50],
    ["2026-11-22", 0],
  ]);
});

test("a table begins with the latest day, else with the dearest", () => {
  const keys = (of: UsageReport) => tableRows(of).map((each) => each.key);
  expect(keys(report("day", [row("2026-11-20", 9), row("2026-11-22", 1)]))).toEqual([
    "2026-11-22",
    "2026-11-20",
  ]);
  expect(keys(report("agent", [row("a", 1), row("b", 9), row("c", 1)]))).toEqual(["b", "a", "c"]);
});

test("sums are those of the rows", () => {
  expect(totalsOf(report("model", [row("a", 1), row("b", 2)]))).toEqual({
    requests: 2,
    tokens: 32,
  });
});

test("what a person keeps has every figure", () => {
  expect(usageCsv(report("agent", [row("x", 1_500, "Sales, daily")]))).toBe(
    "\ufeffagent,costMicros,requests,inputTokens,outputTokens,cacheReadTokens,cacheWriteTokens\r\n" +
      '"Sales, daily",1500,1,10,2,3,1\r\n',
  );
});

test("what no agent asked for has its name in the person's language", () => {
  const rows = [row("", 5, "Chat and keys"), row("x", 7, "매출")];
  const labels = (by: UsageReport["by"]) =>
    withNames(report(by, rows), "대화와 키").rows.map(({ label }) => label);
  expect(labels("agent")).toEqual(["대화와 키", "매출"]);
  expect(labels("model")).toEqual(["Chat and keys", "매출"]);
});

test.each([
  ["", { by: "day", range: "30d", from: "2026-10-24", to: "2026-11-22" }],
  ["by=model&range=7d", { by: "model", range: "7d", from: "2026-11-16", to: "2026-11-22" }],
  [
    "by=agent&from=2026-01-01&to=2026-01-31",
    { by: "agent", range: null, from: "2026-01-01", to: "2026-01-31" },
  ],
  [
    "by=nonsense&from=2026-02-01&to=2026-01-31",
    { by: "day", range: "30d", from: "2026-10-24", to: "2026-11-22" },
  ],
])("the address ?%s asks for %j", (query, wanted) => {
  expect(asked(new URLSearchParams(query), "2026-11-22")).toEqual(wanted);
});

function key(id: string, change: Partial<UserKey> = {}): UserKey {
  return {
    id,
    name: id,
    scopes: ["models"],
    createdTime: "2026-11-01T00:00:00Z",
    expiresTime: null,
    lastUsedTime: null,
    revokedTime: null,
    ...change,
  };
}

test("keys that work stand before those that do not", () => {
  const now = Date.parse("2026-11-22T00:00:00Z");
  const keys = [
    key("revoked", { revokedTime: "2026-11-20T00:00:00Z", createdTime: "2026-11-20T00:00:00Z" }),
    key("old"),
    key("ended", { expiresTime: "2026-11-22T00:00:00Z" }),
    key("new", { createdTime: "2026-11-21T00:00:00Z", expiresTime: "2026-11-23T00:00:00Z" }),
  ];
  expect(sortedKeys(keys, now).map((each) => `${each.id} ${keyState(each, now)}`)).toEqual([
    "new active",
    "old active",
    "revoked revoked",
    "ended expired",
  ]);
});

test("a secret is saved when every entry has a key of its own and a value", () => {
  const pair = (id: number, name: string, value: string) => ({ id, key: name, value });
  expect(valuesOf([pair(1, "TOKEN", "x"), pair(2, "", "")])).toEqual({ TOKEN: "x" });
  expect(valuesOf([pair(1, "", "")])).toBeNull();
  const twice = [pair(1, "A", "x"), pair(2, "A", "y")];
  expect(problemOf(pair(1, "A", "x"), twice)).toBe("twice");
  expect(valuesOf(twice)).toBeNull();
  expect(problemOf(pair(1, "A B", "x"), [])).toBe("keyWrong");
  expect(problemOf(pair(1, "", "x"), [])).toBe("keyWrong");
  expect(problemOf(pair(1, "A", ""), [])).toBe("missing");
});

test("a chart shows the dearest by name, and the others in one bar", () => {
  const few = report("agent", [row("a-0001", 5, "Sales"), row("b-0002", 9, "Sales"), row("c", 0)]);
  expect(dearest(few, "Others")).toEqual([
    ["Sales 0002", 9],
    ["Sales 0001", 5],
  ]);
  const many = Array.from({ length: 12 }, (_, at) => row(`model-${at}`, 100 - at));
  const bars = dearest(report("model", many), "Others");
  expect(bars).toHaveLength(8);
  expect(bars.at(-1)).toEqual(["Others", 93 + 92 + 91 + 90 + 89]);
  expect(bars.reduce((sum, [, cost]) => sum + cost, 0)).toBe(report("model", many).totalCostMicros);
});
