import { expect, test } from "vitest";
import { cellOf, withCell } from "../src/agents/cells";
import { changesBetween, merged, overlapsOf, patchBetween } from "../src/agents/changes";
import { type Content, isTree, type Tree, valueAt, withValue } from "../src/agents/contents";
import {
  afterRead,
  beginEditing,
  conflictOf,
  faultsOfEditing,
  isDirty,
  resolved,
  shownText,
  withField,
  withTyped,
} from "../src/agents/editing";
import { placeOf } from "../src/agents/fields";
import {
  meaningOf,
  parseDollars,
  parseDuration,
  showDollars,
  showDuration,
  showValue,
} from "../src/agents/kinds";
import { defaultAt, faultOf, faultsOf } from "../src/agents/rules";
import { formOf, inForm, withFrequency } from "../src/agents/schedules";
import { instantOf, wallTime } from "../src/agents/walls";

const content = (spec: Tree = {}, name = "Sales"): Content => ({ name, description: "", spec });
const revision = (number: number, spec: Tree = {}, name?: string) => ({
  number,
  content: content(spec, name),
});

test.each([
  ["5", 5_000_000],
  ["$0.25", 250_000],
  ["1,000.50", 1_000_500_000],
  ["0.000001", 1],
  ["5.", 5_000_000],
  ["0.1", 100_000],
  ["0.0000001", null],
  ["-1", null],
  ["five", null],
])("%s dollars are %s micro-dollars", (text, micros) => {
  expect(parseDollars(text)).toBe(micros);
});

test("every amount is read as it is shown", () => {
  for (const micros of [0, 1, 10, 9_999, 10_000, 250_000, 1_000_500_000, 999_999_999_999]) {
    expect(parseDollars(showDollars(micros))).toBe(micros);
  }
  expect(showDollars(5_000_000)).toBe("5.00");
  expect(showDollars(2_500)).toBe("0.0025");
});

test.each([
  ["60", 3600],
  ["1.5", 90],
  ["1h 30m", 5400],
  ["1시간 30분", 5400],
  ["45 s", 45],
  ["2일", 172_800],
  ["0.01", null],
  ["soon", null],
  ["1h later", null],
])("%s is %s seconds", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test("every duration is read as it is shown", () => {
  for (const seconds of [1, 59, 60, 61, 90, 3600, 3661, 604_800]) {
    expect(parseDuration(showDuration(seconds))).toBe(seconds);
  }
  expect(showDuration(100)).toBe("1m 40s");
});

test("a command is a line for each argument, or a list where one has lines of its own", () => {
  expect(meaningOf("arguments", "python3\n report.py \n")).toEqual(["python3", "report.py"]);
  for (const command of [
    ["sh", "-c", "a\nb"],
    ["[", "-f", "x"],
    ["echo", " x"],
  ]) {
    expect(meaningOf("arguments", showValue("arguments", command))).toEqual(command);
  }
  expect(meaningOf("arguments", '["sh", 7]')).toBe(null);
});

test("a field that is taken out takes empty objects along", () => {
  const before = content({ limits: { maxTurns: 5 }, prompt: "x" });
  expect(withValue(before, "spec.limits.maxTurns", undefined).spec).toEqual({ prompt: "x" });
  const after = withValue(before, "spec.limits.timeoutSeconds", 60);
  expect(after.spec).toEqual({ limits: { maxTurns: 5, timeoutSeconds: 60 }, prompt: "x" });
  expect(valueAt(after, "spec.limits.timeoutSeconds")).toBe(60);
});

const SPECS: Tree[] = [
  {},
  { prompt: "x" },
  { prompt: "y", limits: { maxTurns: 5 } },
  { limits: { maxTurns: 6, timeoutSeconds: 60 }, verify: { files: ["a"] } },
  { verify: { command: ["x"] }, tools: { allow: ["Read"], deny: [] } },
];

/** RFC 7396, as the server does it. */
function apply(before: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const after: Record<string, unknown> = isTree(before) ? { ...before } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete after[key];
    else after[key] = apply(after[key], value);
  }
  return after;
}

test("a patch makes of one spec the other", () => {
  for (const before of SPECS) {
    for (const after of SPECS) expect(apply(before, patchBetween(before, after))).toEqual(after);
  }
});

test("changes are told field by field, lists as a whole", () => {
  const before = content({ limits: { maxTurns: 5 }, tools: { allow: ["Read"] } });
  const after = content({ tools: { allow: ["Read", "Write"] } }, "Sums");
  expect(changesBetween(before, after)).toEqual([
    { field: "name", before: "Sales", after: "Sums" },
    { field: "spec.limits.maxTurns", before: 5, after: null },
    { field: "spec.tools.allow", before: ["Read"], after: ["Read", "Write"] },
  ]);
});

test("edits of different fields come together, of one field a person chooses", () => {
  const base = content({ prompt: "a", priority: 5 });
  const mine = content({ prompt: "mine", priority: 5, limits: { maxTurns: 9 } });
  const theirs = content({ prompt: "theirs", priority: 7 });
  expect(overlapsOf(base, mine, theirs)).toEqual([
    { field: "spec.prompt", before: "a", mine: "mine", theirs: "theirs" },
  ]);
  const kept = merged(base, mine, theirs, new Set());
  expect(kept.spec).toEqual({ prompt: "mine", priority: 7, limits: { maxTurns: 9 } });
  const taken = merged(base, mine, theirs, new Set(["spec.prompt"]));
  expect(taken.spec).toEqual({ prompt: "theirs", priority: 7, limits: { maxTurns: 9 } });
});

test("what both changed alike is no conflict", () => {
  const after = content({ prompt: "b" });
  expect(overlapsOf(content({ prompt: "a" }), after, after)).toEqual([]);
});

test("a text stays as it is typed while it stands for the value", () => {
  let editing = beginEditing(revision(1));
  for (const text of ["2", "2.", "2.5", "2.50"]) {
    editing = withTyped(editing, "spec.limits.maxCostMicros", text);
    expect(shownText(editing, "spec.limits.maxCostMicros")).toBe(text);
  }
  expect(editing.content.spec).toEqual({ limits: { maxCostMicros: 2_500_000 } });
  editing = withTyped(editing, "spec.limits.maxCostMicros", "");
  expect(editing.content.spec).toEqual({});
  expect(isDirty(editing)).toBe(false);
});

test("a text that nobody can read is a fault, and loses nothing", () => {
  const editing = withTyped(beginEditing(revision(1)), "spec.limits.timeoutSeconds", "soon");
  expect(faultsOfEditing(editing).get("spec.limits.timeoutSeconds")?.key).toBe("fault.unread");
  expect(shownText(editing, "spec.limits.timeoutSeconds")).toBe("soon");
  expect(isDirty(editing)).toBe(true);
});

test("an own edit that was saved is gone on from, with what was typed since", () => {
  const typed = withTyped(beginEditing(revision(1)), "spec.prompt", "a");
  const sent = { ...typed, sent: typed.content };
  // It is read once more before it is saved.
  expect(afterRead(sent, revision(1))).toBe(sent);
  const further = withTyped(sent, "spec.prompt", "ab");
  const after = afterRead(further, revision(2, { prompt: "a" }));
  expect(after.base.number).toBe(2);
  expect(after.content.spec).toEqual({ prompt: "ab" });
  expect(conflictOf(further, revision(2, { prompt: "a" }))).toBe(null);
});

test("somebody else's edit is taken over where there is none of one's own", () => {
  const after = afterRead(beginEditing(revision(1)), revision(2, { prompt: "b" }));
  expect(after).toEqual(beginEditing(revision(2, { prompt: "b" })));
});

test("somebody else's edit under an edit of one's own is a conflict, until it is resolved", () => {
  const editing = withTyped(beginEditing(revision(1, { prompt: "a" })), "spec.prompt", "mine");
  const latest = revision(2, { prompt: "theirs" });
  expect(afterRead(editing, latest)).toBe(editing);
  expect(conflictOf(editing, latest)?.overlaps.map(({ field }) => field)).toEqual(["spec.prompt"]);
  const kept = resolved(editing, latest, new Set());
  expect([kept.base.number, kept.content.spec.prompt]).toEqual([2, "mine"]);
  expect(isDirty(kept)).toBe(true);
  const taken = resolved(editing, latest, new Set(["spec.prompt"]));
  expect([taken.base.number, taken.content.spec.prompt]).toEqual([2, "theirs"]);
  expect(isDirty(taken)).toBe(false);
});

test("a text that nobody could read outlives a conflict", () => {
  const editing = withTyped(beginEditing(revision(1)), "spec.limits.timeoutSeconds", "soon");
  const latest = revision(2, { prompt: "theirs" });
  expect(conflictOf(editing, latest)?.overlaps).toEqual([]);
  const after = resolved(editing, latest, new Set());
  expect(shownText(after, "spec.limits.timeoutSeconds")).toBe("soon");
});

test("a field that is set otherwise forgets how it was typed", () => {
  const typed = withTyped(beginEditing(revision(1)), "spec.verify.files", "a.txt");
  const cleared = withField(typed, "spec.verify.files", undefined);
  expect(shownText(cleared, "spec.verify.files")).toBe("");
});

test.each([
  ["spec.limits.timeoutSeconds", 0, "fault.minimum"],
  ["spec.limits.maxCostMicros", 10 ** 13, "fault.maximum"],
  ["spec.model.name", "no spaces", "fault.pattern"],
  ["spec.workspace.resources.cpu", "0", "fault.pattern"],
  ["spec.tools.allow", ["Read", "7"], "fault.item"],
  ["spec.workspace.resources.cpu", "0.5", undefined],
  ["spec.tools.allow", ["Bash(python3:*)"], undefined],
])("%s of %j: %s", (path, value, key) => {
  expect(faultOf(path, value)?.key).toBe(key);
});

test("limits are said as people type them", () => {
  expect(faultOf("spec.limits.maxCostMicros", 10 ** 13)?.values).toEqual({ limit: "1000000.00" });
  expect(faultOf("spec.limits.timeoutSeconds", 10 ** 9)?.values).toEqual({ limit: "10080" });
  expect(defaultAt("spec.limits.timeoutSeconds")).toBe(3600);
});

test("variables are named once, and not as Heliostat names its own", () => {
  const workspace = {
    env: [{ name: "TOKEN", value: "" }, { name: "CLAUDE_X" }],
    secretRefs: [{ name: "keys", key: "token", envName: "TOKEN" }],
  };
  const faults = faultsOf(content({ workspace }));
  expect(Object.fromEntries([...faults].map(([path, { key }]) => [path, key]))).toEqual({
    "spec.workspace.env[1].name": "fault.reserved",
    "spec.workspace.secretRefs[0].envName": "fault.twice",
  });
});

test("a secret of Secret Manager is named whole, and wants neither name nor key", () => {
  const secret = "projects/acme/secrets/crm-token";
  const secretRefs = [
    { envName: "A", secretManager: { secret } },
    { envName: "B", secretManager: { secret: "crm-token-of-acme-inc", version: "0" } },
    { envName: "C", secretManager: { secret, version: "" } },
  ];
  const faults = faultsOf(content({ workspace: { secretRefs } }));
  const at = "spec.workspace.secretRefs";
  expect(Object.fromEntries([...faults].map(([path, { key }]) => [path, key]))).toEqual({
    [`${at}[1].secretManager.secret`]: "fault.pattern",
    [`${at}[1].secretManager.version`]: "fault.pattern",
    [`${at}[2].secretManager.version`]: "fault.required",
  });
});

test("a cell of a row may lie one level deeper", () => {
  const row = { envName: "A", secretManager: { secret: "s" } };
  expect(cellOf(row, "secretManager.secret")).toBe("s");
  expect(cellOf(row, "secretManager.version")).toBeUndefined();
  expect(withCell(row, "secretManager.version", "7")).toEqual({
    envName: "A",
    secretManager: { secret: "s", version: "7" },
  });
  expect(withCell(row, "envName", "B")).toEqual({ ...row, envName: "B" });
});

test("hosts are written, and named once", () => {
  const egress = [{ host: "a.example" }, { host: "" }, { host: "a.example", ports: [80] }];
  const faults = faultsOf(content({ workspace: { egress } }));
  expect(Object.fromEntries([...faults].map(([path, { key }]) => [path, key]))).toEqual({
    "spec.workspace.egress[1].host": "fault.required",
    "spec.workspace.egress[2].host": "hosts.twice",
  });
});

test.each([
  ["spec.tools.allow[1]", "spec.tools.allow"],
  ["spec.workspace.env[0].name", "spec.workspace.env"],
  ["spec.schedule.blackouts[0].cron", "spec.schedule.blackouts"],
  ["spec.promt", null],
  ["name", "name"],
])("a fault of %s is shown at %s", (field, place) => {
  expect(placeOf(field)).toBe(place);
});

test("a schedule in another form keeps its zone and its rules, and comes back as it was", () => {
  const daily = { frequency: "daily", time: "09:30", timeZone: "Asia/Seoul", overlap: "Allow" };
  const cron = inForm("cron", daily, undefined, "UTC");
  expect(cron).toEqual({ cron: "0 8 * * *", timeZone: "Asia/Seoul", overlap: "Allow" });
  expect(inForm("frequency", cron ?? null, daily, "UTC")).toEqual(daily);
  expect(inForm("none", daily, undefined, "UTC")).toBe(undefined);
  expect(inForm("frequency", null, undefined, "Asia/Seoul")?.timeZone).toBe("Asia/Seoul");
  expect([null, daily, { cron: "" }].map(formOf)).toEqual(["none", "frequency", "cron"]);
});

test("a day that does not belong to a frequency goes with it", () => {
  const weekly = { frequency: "weekly", weekday: "Friday", time: "08:00" };
  expect(withFrequency(weekly, "monthly")).toEqual({ frequency: "monthly", time: "08:00" });
  expect(withFrequency(weekly, "weekly")).toEqual(weekly);
});

test.each([
  ["2026-12-24T18:00", "Asia/Seoul", "2026-12-24T09:00:00Z"],
  ["2026-07-01T08:30", "America/New_York", "2026-07-01T12:30:00Z"],
  ["2026-11-01T12:00", "America/New_York", "2026-11-01T17:00:00Z"],
  ["2026-03-29T12:00", "Europe/Berlin", "2026-03-29T10:00:00Z"],
])("%s in %s is %s", (wall, zone, instant) => {
  expect(instantOf(wall, zone)).toBe(instant);
  expect(wallTime(instant, zone)).toBe(wall);
});

test("what is no time is none", () => {
  expect(instantOf("", "UTC")).toBe(null);
  expect(wallTime("", "UTC")).toBe("");
});
