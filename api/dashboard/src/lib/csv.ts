/** Tables as text, RFC 4180. */

/** What a spreadsheet would compute instead of show. */
const FORMULA = /^[=+\-@\t\r]/;

export function toCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
}

function cellOf(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export interface Table {
  rows: string[][];
  /** Whether there is more than what was asked for. */
  isCut: boolean;
}

/** At most so many rows and columns. Whatever the text, something comes of it. */
export function parseCsv(
  text: string,
  separator: string,
  most: { rows: number; columns: number },
): Table {
  const rows: string[][] = [];
  let isCut = false;
  let at = 0;
  while (at < text.length) {
    if (rows.length === most.rows) return { rows, isCut: true };
    const { cells, end } = readRow(text, at, separator);
    isCut ||= cells.length > most.columns;
    rows.push(cells.slice(0, most.columns));
    at = end;
  }
  return { rows, isCut };
}

function readRow(text: string, begin: number, separator: string): { cells: string[]; end: number } {
  const cells: string[] = [];
  let at = begin;
  for (;;) {
    const cell = text[at] === '"' ? readQuoted(text, at, separator) : readBare(text, at, separator);
    cells.push(cell.value);
    at = cell.end;
    if (text[at] !== separator) break;
    at += 1;
  }
  return { cells, end: text.startsWith("\r\n", at) ? at + 2 : at + 1 };
}

function readBare(text: string, begin: number, separator: string) {
  let end = begin;
  while (end < text.length && text[end] !== separator && !isLineEnd(text, end)) end += 1;
  return { value: text.slice(begin, end), end };
}

function readQuoted(text: string, begin: number, separator: string) {
  let value = "";
  let at = begin + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return { value: value + text.slice(at), end: text.length };
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const rest = readBare(text, quote + 1, separator);
      return { value: value + rest.value, end: rest.end };
    }
    value += '"';
    at = quote + 2;
  }
}

function isLineEnd(text: string, at: number): boolean {
  return text[at] === "\n" || text[at] === "\r";
}
