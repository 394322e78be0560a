import { expect, test } from "vitest";
import { spansOf } from "../src/lib/printed";
import { visible } from "../src/lib/visible";

function textOf(printed: string): string {
  return spansOf(printed)
    .map(({ text }) => text)
    .join("");
}

test("colours of a terminal become tones that a page of ours can be read in", () => {
  const spans = spansOf(
    "\x1b[1;31mred\x1b[0m plain \x1b[38;5;46mgreen\x1b[39m \x1b[48;2;0;0;255mon\x1b[m",
  );
  expect(spans.map(({ text, tone, isBold, isMarked }) => [text, tone, isBold, isMarked])).toEqual([
    ["red", "red", true, false],
    [" plain ", null, false, false],
    ["green", "green", false, false],
    [" ", null, false, false],
    ["on", null, false, true],
  ]);
});

test.each([
  ["\x1b]0;a title\x07after", "after"],
  ["\x1b]8;;https://spy.example\x1b\\words\x1b]8;;\x1b\\", "words"],
  ["\x1b[2K\x1b[1Gline\x1b[K", "line"],
  ["\x1b(Btext\x1b7\x1b8\x1b=", "text"],
  ["cut \x1b[3", "cut "],
  ["10%\r50%\r100%\ndone\r\n", "100%\ndone\n"],
  ["bolb\x08d", "bold"],
  ["\x9b31mred", "red"],
])("what steers a terminal is not shown: %j", (printed, shown) => {
  expect(textOf(printed)).toBe(shown);
});

test("what would turn the order of letters round is shown as what it is", () => {
  expect(visible("admin\u202e gpj.exe\u2066")).toBe("admin⟨U+202E⟩ gpj.exe⟨U+2066⟩");
  expect(visible("שלום עולם, مرحبا 👩‍👩‍👧")).toBe("שלום עולם, مرحبا 👩‍👩‍👧");
  expect(visible("a\0b\x07\tc\nd")).toBe("a␀b␇\tc\nd");
  expect(textOf("\x1b[31m\u202etxt")).toBe("⟨U+202E⟩txt");
});
