import { expect, test } from "vitest";
import { isWanted, place } from "../src/live/lists";
import { Overlay } from "../src/live/overlay";
import { afterReport, ENDED_KEPT, fromSnapshot, liveRuns } from "../src/live/world";
import { changed, run, snapshot } from "./samples";

const at = (minute: number) => ({ createdTime: `2026-11-22T11:0${minute}:00Z` });
const ids = (pages: ReturnType<typeof place>) =>
  pages.map((page) => page.items.map((item) => item.id));

const PAGES = [
  { items: [run("e", at(5)), run("d", at(4))], next: "d" },
  { items: [run("b", at(2)), run("a", at(1))], next: null },
];

test.each([
  [
    "a new run stands first",
    run("f", at(6)),
    [
      ["f", "e", "d"],
      ["b", "a"],
    ],
  ],
  [
    "one that was told late stands in its place",
    run("c", at(3)),
    [
      ["e", "d"],
      ["c", "b", "a"],
    ],
  ],
  [
    "the oldest of all stands last",
    run("0", at(0)),
    [
      ["e", "d"],
      ["b", "a", "0"],
    ],
  ],
])("%s", (_, added, expected) => {
  expect(ids(place(PAGES, added, true))).toEqual(expected);
});

test("an older run than those that were read waits for its page", () => {
  const first = PAGES.slice(0, 1);
  expect(place(first, run("a", at(1)), true)).toEqual(first);
});

test("a run that no longer fits the filter leaves the list", () => {
  expect(ids(place(PAGES, run("d", { ...at(4), phase: "Failed" }), false))).toEqual([
    ["e"],
    ["b", "a"],
  ]);
});

test("a page without the run stays the same object", () => {
  const after = place(PAGES, run("a", { ...at(1), phase: "Failed" }), true);
  expect(after[0]).toBe(PAGES[0]);
  expect(after[1]?.items[1]?.phase).toBe("Failed");
});

test("a filter without values takes every run", () => {
  expect(isWanted(run("a"), { agent: "", phase: "" })).toBe(true);
  expect(isWanted(run("a"), { phase: "Failed" })).toBe(false);
});

test("an answer that is older than a report does not undo it", () => {
  const heard = new Overlay<ReturnType<typeof run>>();
  heard.note("a", run("a", { phase: "Starting" }));
  const mark = heard.mark();
  heard.note("a", run("a", { phase: "Succeeded" }));
  heard.note("b", null);
  const answer = [run("a", { phase: "Pending" }), run("b"), run("c")];
  expect(heard.freshen(answer, mark).map((item) => [item.id, item.phase])).toEqual([
    ["a", "Succeeded"],
    ["c", "Running"],
  ]);
});

test("an answer that is younger than a report is believed", () => {
  const heard = new Overlay<ReturnType<typeof run>>();
  heard.note("a", run("a", { phase: "Starting" }));
  const answer = [run("a", { phase: "Succeeded" })];
  expect(heard.freshen(answer, heard.mark())).toEqual(answer);
});

test("the world is bounded, and keeps every run that goes on", () => {
  let world = fromSnapshot(snapshot(0, [run("live")]));
  for (let id = 1; id <= ENDED_KEPT + 5; id++) {
    const ended = run(`r${id}`, {
      phase: "Succeeded",
      isFinished: true,
      createdTime: new Date(id * 1000).toISOString(),
    });
    world = afterReport(world, changed(id, ended));
  }
  expect(world.executions.size).toBe(ENDED_KEPT + 1);
  expect(world.executions.has("r1")).toBe(false);
  expect(liveRuns(world)).toHaveLength(1);
});

test("a report that the world has heard leaves it as it is", () => {
  const world = fromSnapshot(snapshot(5));
  expect(afterReport(world, changed(5, run("a")))).toBe(world);
});
