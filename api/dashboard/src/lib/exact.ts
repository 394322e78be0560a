/**
 * A stranger's text so that a person sees all of it before they decide: what is invisible, turns
 * letters round or pushes the rest out of sight is named where it stands.
 */

export type Piece =
  | { kind: "text"; text: string }
  /** A letter that cannot be seen as it is: its code point. */
  | { kind: "letter"; code: string }
  | { kind: "spaces"; count: number }
  | { kind: "lines"; count: number };

/** Spaces in a row that are no indentation any more. */
const PADDING = 24;
/** Empty lines in a row that push what follows away. */
const GAP = 4;

/**
 * Format and control letters, halves of a pair, private ones, variation selectors, fillers that
 * look like nothing, and spaces that are none of the keyboard's.
 */
const HIDDEN = [
  /[\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u,
  /[\u115f\u1160\u3164\uffa0\u2800]/u,
  /\u034f|\u17b4|\u17b5|[\u180b-\u180f]|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/u,
  /(?![\n\t])\p{Cc}|(?! )\p{Zs}/u,
]
  .map(({ source }) => source)
  .join("|");
/** Trailing spaces count, too: with them two commands look like one. */
const SPACES = `[ \\t]{${PADDING},}|[ \\t]+(?=\\n|$)`;
const LINES = `\\n{${GAP + 1},}`;
const MARKS = new RegExp(`(?:${HIDDEN})|(?:${SPACES})|(?:${LINES})`, "gu");

/** The text, with names in the place of what could not be seen. Nothing of it is left out. */
export function exactPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of text.matchAll(MARKS)) {
    if (found.index > end) pieces.push({ kind: "text", text: text.slice(end, found.index) });
    pieces.push(markOf(found[0]));
    end = found.index + found[0].length;
  }
  if (end < text.length) pieces.push({ kind: "text", text: text.slice(end) });
  return pieces;
}

function markOf(found: string): Piece {
  if (found.startsWith("\n")) return { kind: "lines", count: found.length - 1 };
  if (/^[ \t]/.test(found)) return { kind: "spaces", count: found.length };
  return { kind: "letter", code: codeOf(found) };
}

function codeOf(letter: string): string {
  return `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
