/** How a file of a run is shown, if at all. It is a stranger's: HTML and SVG never are. */
import type { RunFile } from "../api/views";

export type PreviewKind = "picture" | "markdown" | "table" | "json" | "text" | "none";

const KINDS: [RegExp, PreviewKind][] = [
  [/\.(png|jpe?g|gif|webp)$/i, "picture"],
  [/\.(md|markdown)$/i, "markdown"],
  [/\.(csv|tsv)$/i, "table"],
  [/\.json$/i, "json"],
];

/** The server says what may be shown; the name says how. */
export function previewKind({ path, isShown }: Pick<RunFile, "path" | "isShown">): PreviewKind {
  if (!isShown) return "none";
  return KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? "text";
}

export function separatorOf(path: string): string {
  return /\.tsv$/i.test(path) ? "\t" : ",";
}

/** JSON in lines, when it is JSON and whole. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
