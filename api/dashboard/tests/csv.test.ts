import { expect, test } from "vitest";
import { parseCsv, toCsv } from "../src/lib/csv";

const MOST = { rows: 5, columns: 3 };

test("what was written is read again", () => {
  const rows = [
    ["a", 'said "yes"', "x,y"],
    ["two\nlines", "", "한국어"],
  ];
  expect(parseCsv(toCsv(rows), ",", MOST)).toEqual({ rows, isCut: false });
});

test("a spreadsheet computes nothing of a name", () => {
  expect(toCsv([["=HYPERLINK(1)", "-1", 5, -5]])).toBe("'=HYPERLINK(1),'-1,5,-5\r\n");
});

test.each([
  ["", []],
  ["a,b", [["a", "b"]]],
  ["a,b\n", [["a", "b"]]],
  ["a\r\n\r\nb", [["a"], [""], ["b"]]],
  ["a,", [["a", ""]]],
  ['"never closed', [["never closed"]]],
  ['"a"b,c', [["ab", "c"]]],
])("%j is read", (text, rows) => {
  expect(parseCsv(text, ",", MOST).rows).toEqual(rows);
});

test("no more is read than is shown", () => {
  expect(parseCsv("1\n2\n3\n4\n5\n6\n", ",", MOST)).toEqual({
    rows: [["1"], ["2"], ["3"], ["4"], ["5"]],
    isCut: true,
  });
  expect(parseCsv("a,b,c,d", ",", MOST)).toEqual({ rows: [["a", "b", "c"]], isCut: true });
  expect(parseCsv("1\n2\n3\n4\n5\n", ",", MOST).isCut).toBe(false);
});

test("tabs part cells, too", () => {
  expect(parseCsv("a\tb,c", "\t", MOST).rows).toEqual([["a", "b,c"]]);
});

test("any text comes to an end", () => {
  const odd = ['"', '""', '"a"b"c,', ",\r", "\r\r\n\n", '"x""'];
  for (const text of odd) expect(() => parseCsv(text, ",", MOST)).not.toThrow();
});
