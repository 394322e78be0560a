import ts from "typescript";
import { expect, test, vi } from "vitest";
import { CATALOGUE } from "../src/words/catalogue";
import * as formats from "../src/words/formats";
import { ago, amount, bytes, date, day, duration, money } from "../src/words/formats";
import { setScripted } from "../src/words/scripted";
import { say, sayName } from "../src/words/words";

const SOURCES = import.meta.glob<string>("../src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});

const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test.each(Object.entries(CATALOGUE))("%s is there in both languages", (_, text) => {
  expect(text.en.trim()).not.toBe("");
  expect(text.ko.trim()).not.toBe("");
  expect(places(text.ko)).toEqual(places(text.en));
});

/** Keys whose first part is chosen at run time: by phase, reason and so on. */
const OPEN =
  /^(phase|reason|trigger|cause|sample|chatStatus|chatTool|chatChart|request|status|missing|steps|settings|tab|weekday|overlap|catchUp|daylight|fire|outcome|askClass|askState|askFact|approvals\.(decision|mark|source)|runTab|filter|usage\.(by|range|chart)|webhooks\.(kind|event|state|urlWrong)|keys\.(scope|state)|secrets\.problem|home\.news|compare\.file|agents\.only|frequency|blackouts\.at)\./;

test("no text is left over", () => {
  const code = Object.entries(SOURCES)
    .filter(([name]) => !name.includes("/words/"))
    .map(([, text]) => text)
    .join("\n");
  const unused = Object.keys(CATALOGUE).filter(
    (key) => !OPEN.test(key) && !code.includes(`"${key}"`),
  );
  expect(unused).toEqual([]);
});

test("every key has a group and a name", () => {
  expect(Object.keys(CATALOGUE).filter((key) => !/^\w+(\.\w+)+$/.test(key))).toEqual([]);
});

/** Attributes that people read or hear. */
const READ = /^(aria-label|title|alt|placeholder|label|description|error)$/;
const WORDS = /\p{L}{2,}/u;
/** Names of products, hosts and what is typed into a terminal are the same in every language. */
const NAMES = new Set(["Heliostat", "kubectl", "api.example.com"]);

function wordsIn(name: string, source: string): string[] {
  const found: string[] = [];
  const look = (node: ts.Node) => {
    if (ts.isJsxText(node)) found.push(node.text.trim());
    if (ts.isJsxAttribute(node) && READ.test(node.name.getText(file))) {
      const value = node.initializer;
      if (value && ts.isStringLiteral(value)) found.push(value.text);
    }
    ts.forEachChild(node, look);
  };
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  look(file);
  return found.filter((text) => WORDS.test(text) && !NAMES.has(text));
}

test("a word that is no text of the catalogue is found", () => {
  const source = `const It = () => <p title="Hello there">Good {n} <b aria-label={t("a")}>·</b></p>;`;
  expect(wordsIn("it.tsx", source)).toEqual(["Hello there", "Good"]);
});

test("no page has words of its own", () => {
  const found = Object.entries(SOURCES)
    .filter(([name]) => name.endsWith(".tsx"))
    .flatMap(([name, source]) => wordsIn(name, source).map((text) => `${name}: ${text}`));
  expect(found).toEqual([]);
});

test("Korean is in Korean", () => {
  const foreign = new Set([
    "settings.english",
    "trigger.Manual",
    "status.heardRun",
    "steps.tool",
    "keys.scope.api",
  ]);
  const latin = Object.entries(CATALOGUE)
    .filter(([, text]) => !/[가-힣]/.test(text.ko))
    .map(([key]) => key)
    .filter((key) => !foreign.has(key));
  expect(latin).toEqual([]);
});

test("places are filled, and one without a value stays to be seen", () => {
  expect(say("en", "status.live", { count: 3 })).toBe("3 running");
  expect(say("en", "status.live")).toBe("{count} running");
});

test("an unknown reason is still readable", () => {
  expect(sayName("ko", "reason", "SomethingBrandNew")).toBe("Something Brand New");
});

test.each([
  [0, "$0.00"],
  [7, "<$0.0001"],
  [50, "$0.0001"],
  [5_600, "$0.0056"],
  [104_282, "$0.1043"],
  [999_960, "$1.0000"],
  [1_000_000, "$1.00"],
  [1_234_567_890, "$1,234.57"],
])("%i micro-dollars are shown as %s", (micros, shown) => {
  expect(money(micros)).toBe(shown);
});

test.each([
  [0, "0 s", "0초"],
  [65.9, "1 min 5 s", "1분 5초"],
  [3600, "1 h", "1시간"],
  [3_725, "1 h 2 min", "1시간 2분"],
  [-4, "0 s", "0초"],
])("%d seconds are shown as %s", (seconds, english, korean) => {
  expect(duration(seconds, "en")).toBe(english);
  expect(duration(seconds, "ko")).toBe(korean);
});

test("large amounts are rounded, small ones are not", () => {
  expect(amount(9_999, "en")).toBe("9,999");
  expect(amount(47_380, "en")).toBe("47.4K");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1234, "1.2 kB"],
  [45_600, "46 kB"],
  [20_000_000, "20 MB"],
])("%i bytes are %s", (size, shown) => {
  expect(bytes(size)).toBe(shown);
});

test.each([
  ["2026-11-25T10:00:00Z", "2026-11-27T09:00:00Z", "UTC", "in 2 days", "모레"], // 47 hours
  ["2026-11-27T09:00:00Z", "2026-11-25T10:00:00Z", "UTC", "2 days ago", "그저께"],
  ["2026-11-25T10:00:00Z", "2026-11-26T11:00:00Z", "UTC", "tomorrow", "내일"], // 25 hours
  ["2026-11-26T11:00:00Z", "2026-11-25T10:00:00Z", "UTC", "yesterday", "어제"],
  ["2026-11-25T23:30:00Z", "2026-11-27T00:30:00Z", "UTC", "in 2 days", "모레"], // 25, two midnights
  ["2026-11-27T00:30:00Z", "2026-11-25T23:30:00Z", "UTC", "2 days ago", "그저께"],
  ["2026-11-25T23:30:00Z", "2026-11-26T00:30:00Z", "UTC", "in 1 hr.", "1시간 후"],
  // The same instants in a zone where it is morning, and no midnight but one lies between.
  ["2026-11-25T23:30:00Z", "2026-11-27T00:30:00Z", "Asia/Seoul", "tomorrow", "내일"],
  // 26 hours with one more in the night, 24 of a day that has 25, 24 of which one is missing.
  ["2026-10-31T22:00:00Z", "2026-11-02T00:00:00Z", "America/New_York", "tomorrow", "내일"],
  ["2026-11-01T04:00:00Z", "2026-11-02T04:00:00Z", "America/New_York", "in 24 hr.", "24시간 후"],
  ["2026-03-07T17:00:00Z", "2026-03-08T17:00:00Z", "America/New_York", "tomorrow", "내일"],
])("at %s, %s is said in %s as %s", (now, instant, zone, english, korean) => {
  const [at, there] = [Date.parse(now), Date.parse(instant)];
  expect(ago(there, at, "en", zone)).toBe(english);
  expect(ago(there, at, "ko", zone)).toBe(korean);
});

test("days have their year where the range has two", () => {
  expect(date("2025-11-24", "en", false)).toBe("Nov 24");
  expect(date("2025-11-24", "en", true)).toBe("Nov 24, 2025");
  expect(date("2025-11-24", "ko", true)).toBe("2025년 11월 24일");
  expect(day("2025-11-24", "en", true)).toBe("Mon, Nov 24, 2025");
});

test("every clock has 24 hours, in both languages", () => {
  const time = "2025-11-24T21:05:07Z";
  for (const language of ["en", "ko"] as const) {
    for (const format of [formats.instant, formats.moment, formats.clock]) {
      expect(format(time, language, "UTC")).toContain("21:05");
    }
    for (const format of [formats.shortInstant, formats.minute]) {
      expect(format(Date.parse(time), language, "UTC")).toContain("21:05");
    }
    expect(formats.instant("2025-11-24T00:00:00Z", language, "UTC")).toContain("00:00:00");
  }
});

test("no page has a clock of its own", () => {
  const sources = import.meta.glob("../src/**/*.{ts,tsx}", {
    query: "?raw",
    import: "default",
    eager: true,
  }) as Record<string, string>;
  const own = Object.entries(sources)
    .filter(([path]) => !path.endsWith("words/formats.ts"))
    .filter(([, text]) => /timeStyle|hour: "|toLocaleTimeString|toLocaleString\(\)/.test(text))
    .map(([path]) => path);
  // Reads the parts of an instant in a zone; nothing of it is shown.
  expect(own).toEqual(["../src/agents/walls.ts"]);
});

test("the money of a script says so, everywhere at once or by its model", () => {
  vi.stubGlobal("navigator", { language: "en" });
  expect(money(12_400_000)).toBe("$12.40");
  expect(formats.moneyOf(12_400_000, "claude-opus-5-5")).toBe("$12.40");
  expect(formats.moneyOf(12_400_000, "scripted/worker")).toBe("$12.40 (script)");
  setScripted(true);
  expect(money(12_400_000)).toBe("$12.40 (script)");
  expect(formats.plainMoney(12_400_000)).toBe("$12.40");
  setScripted(false);
  vi.unstubAllGlobals();
});
