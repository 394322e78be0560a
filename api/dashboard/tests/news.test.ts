import { expect, test } from "vitest";
import type { Receipt } from "../src/api/views";
import { newsOf } from "../src/lib/news";
import { isUnseen } from "../src/lib/seen";
import { agent, run } from "./samples";

const UNTIL = "2026-11-22T10:00:00Z";

const MISSED: Receipt = {
  scheduledTime: "2026-11-22T08:00:00Z",
  lastTime: null,
  count: 1,
  outcome: "Missed",
  reason: "TooLate",
  execution: null,
  result: null,
  message: "nobody was there",
  time: "2026-11-22T09:00:00Z",
};

test("what failed, was paused or missed is news, the newest first", () => {
  const runs = [
    run("fine", { phase: "Succeeded" }),
    run("bad", { phase: "Failed", completionTime: "2026-11-22T11:00:00Z" }),
  ];
  const agents = [
    agent("steady"),
    agent("still", {
      schedulePaused: { time: "2026-11-22T12:00:00Z", reason: "Failures", message: "three" },
      scheduleMissed: [MISSED],
    }),
  ];
  expect(newsOf(runs, agents).map(({ kind, key }) => `${kind} ${key}`)).toEqual([
    "paused still!2026-11-22T12:00:00Z",
    "failed bad",
    "missed still@2026-11-22T08:00:00Z",
  ]);
});

test("a receipt that grew by another miss is news again", () => {
  const keyOf = (receipt: Receipt) =>
    newsOf([], [agent("still", { scheduleMissed: [receipt] })]).map(({ key }) => key);
  const grown = {
    ...MISSED,
    lastTime: "2026-11-22T09:00:00Z",
    count: 2,
    time: "2026-11-22T10:00:00Z",
  };
  expect(keyOf(MISSED)).toEqual(["still@2026-11-22T08:00:00Z"]);
  expect(keyOf(grown)).toEqual(["still@2026-11-22T09:00:00Z"]);
});

test.each([
  ["of before the last visit", "2026-11-22T10:00:00Z", [], false],
  ["since then", "2026-11-22T10:00:01Z", [], true],
  ["that was opened", "2026-11-22T10:00:01Z", ["a"], false],
])("news %s: unseen is %s", (_, time, opened, isNew) => {
  expect(isUnseen({ key: "a", time }, { until: UNTIL, opened })).toBe(isNew);
});
