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

/** The picture of the same run that a document means by a path: never one from elsewhere. */
export function pictureBeside(
  document: Pick<RunFile, "path" | "attempt">,
  source: string,
  files: readonly RunFile[],
): RunFile | null {
  if (/^([a-z]+:|\/|#)/i.test(source)) return null;
  const folder = document.path.split("/").slice(0, -1);
  const path = joined(folder, decoded(source).split("/"));
  const found = files.filter((file) => file.path === path && previewKind(file) === "picture");
  return found.find((file) => file.attempt === document.attempt) ?? found[0] ?? null;
}

function decoded(source: string): string {
  try {
    return decodeURIComponent(source);
  } catch {
    return source;
  }
}

function joined(folder: readonly string[], steps: readonly string[]): string {
  const parts = [...folder];
  for (const step of steps) {
    if (step === "..") parts.pop();
    else if (step !== "." && step !== "") parts.push(step);
  }
  return parts.join("/");
}
