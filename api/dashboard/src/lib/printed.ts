/** What a stranger's program printed, made safe and readable: colours, no control of our page. */
import Anser from "anser";
import { visible } from "./visible";

export const TONES = ["red", "yellow", "green", "cyan", "blue", "magenta", "grey"] as const;
export type Tone = (typeof TONES)[number];

/** A piece of a text in one look. */
export interface Span {
  readonly text: string;
  readonly tone: Tone | null;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isItalic: boolean;
  readonly isUnderlined: boolean;
  /** It had a background, or the two colours changed places. */
  readonly isMarked: boolean;
}

/** Titles, links and answers that a terminal keeps to itself: ESC ] ... BEL, ESC P ... ESC \. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const STRINGS = /\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)/g;
/** Escapes of two or three characters: a character set, a saved place. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const SHORT = /\x1b(?:[ -/]+[0-~]?|[0-Z\\^-~])/g;
/** A sequence that a cut, or the end of a line, left without its end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*)?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const ACTS = /[\x1b\x9b\r\x08]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const RUBBED_OUT = /[^\x08\n]\x08/g;
const OVERWRITTEN = /^.*\r(?!$)/gm;
/** Lines of a terminal as spans: of a line that was written over, what was seen last. */
export function spansOf(text: string): Span[] {
  if (!ACTS.test(text)) return text ? [{ ...PLAIN, text: visible(text) }] : [];
  const plain = text
    .replaceAll("\x9b", "\x1b[")
    .replaceAll("\r\n", "\n")
    .replace(STRINGS, "")
    .replace(SHORT, "")
    .replace(UNFINISHED, "")
    .replace(OVERWRITTEN, "")
    .replaceAll("\r", "")
    .replace(RUBBED_OUT, "");
  return Anser.ansiToJson(plain, { json: true, remove_empty: true }).map(spanOf);
}

const PLAIN: Omit<Span, "text"> = {
  tone: null,
  isBold: false,
  isDim: false,
  isItalic: false,
  isUnderlined: false,
  isMarked: false,
};

function spanOf(chunk: Anser.AnserJsonEntry): Span {
  const has = (name: Anser.DecorationName) => chunk.decorations.includes(name);
  return {
    text: visible(chunk.content),
    tone: toneOf(chunk.fg),
    isBold: has("bold"),
    isDim: has("dim"),
    isItalic: has("italic"),
    isUnderlined: has("underline"),
    isMarked: has("reverse") || chunk.bg !== null,
  };
}

const COLOURS = 40;
const HUES: readonly Tone[] = ["red", "yellow", "green", "cyan", "blue", "magenta"];

/**
 * Of "r, g, b" the tone that our own themes have a readable colour for: what is made for a black
 * terminal cannot be read on white.
 */
function toneOf(colour: string | null): Tone | null {
  if (!colour) return null;
  const [red = 0, green = 0, blue = 0] = colour.split(",").map(Number);
  const most = Math.max(red, green, blue);
  const spread = most - Math.min(red, green, blue);
  if (spread < COLOURS) return most > 60 && most < 200 ? "grey" : null;
  const turn =
    most === red
      ? ((green - blue) / spread + 6) % 6
      : most === green
        ? (blue - red) / spread + 2
        : (red - green) / spread + 4;
  return HUES[Math.round(turn) % 6] ?? null;
}
