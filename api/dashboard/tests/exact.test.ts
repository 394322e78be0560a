import { expect, test } from "vitest";
import { exactPieces } from "../src/lib/exact";

/** As one line: marks in brackets. */
function shown(text: string): string {
  return exactPieces(text)
    .map((piece) => {
      if (piece.kind === "text") return piece.text;
      return piece.kind === "letter" ? `[${piece.code}]` : `[${piece.count} ${piece.kind}]`;
    })
    .join("");
}

test.each([
  ["curl https://crm.example/한글?q=ä", "curl https://crm.example/한글?q=ä"],
  ["if x:\n\tpass\n\nelse:\n    pass", "if x:\n\tpass\n\nelse:\n    pass"],
  ["", ""],
])("what anybody can read stays as it is: %j", (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test.each([
  ["rm a\u200bb", "rm a[U+200B]b"],
  ["safe\u202e gpj.exe\u2069", "safe[U+202E] gpj.exe[U+2069]"],
  ["a\u00adb\ufeffc\u2060d", "a[U+00AD]b[U+FEFF]c[U+2060]d"],
  ["x\u{e0041}\u{e007f}y", "x[U+E0041][U+E007F]y"],
  ["a\u00a0b\u3000c", "a[U+00A0]b[U+3000]c"],
  ["\u3164\u115f\uffa0\u2800", "[U+3164][U+115F][U+FFA0][U+2800]"],
  ["v\ufe0f\u{e0100}", "v[U+FE0F][U+E0100]"],
  ["a\0b\x1b[31mc\rd\x7f\x9b", "a[U+0000]b[U+001B][31mc[U+000D]d[U+007F][U+009B]"],
  ["a\u2028b\u2029c", "a[U+2028]b[U+2029]c"],
  ["lone \ud800 half \udc00", "lone [U+D800] half [U+DC00]"],
  ["private \ue000\u{f0000}", "private [U+E000][U+F0000]"],
])("what cannot be seen is named: %j", (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test.each([
  [`echo ok${" ".repeat(200)}; rm -rf /`, "echo ok[200 spaces]; rm -rf /"],
  ["echo ok   \nrm x", "echo ok[3 spaces]\nrm x"],
  ["rm x ", "rm x[1 spaces]"],
  [`a${"\n".repeat(61)}b`, "a[60 lines]b"],
  [`a${"\t".repeat(30)}b`, "a[30 spaces]b"],
])("padding is counted: %j", (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test("no letter is lost, whatever it is", () => {
  for (const [first, last] of [
    [0, 0x30_00],
    [0xd7_00, 0x1_00_80],
    [0xe_00_00, 0xe_02_00],
  ] as const) {
    for (let code = first; code < last; code += 1) {
      const letter = String.fromCodePoint(code);
      const pieces = exactPieces(`a${letter}b`);
      const isMarked = pieces.length === 3 && pieces[1]?.kind === "letter";
      const isWhole = pieces.length === 1 && !/\p{C}/u.test(letter.replace(/[\n\t]/, ""));
      if (!isWhole && !isMarked) throw new Error(`U+${code.toString(16)}`);
    }
  }
});
