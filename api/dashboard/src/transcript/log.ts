/** What the programs of an attempt printed, as the log shows it: in blocks of a bounded size. */
import { type Draft, LINES_IN_BLOCK, SIZE_OF_BLOCK } from "./items";
import { type Fields, numberAt, textAt } from "./json";
import { isLost, lostIn } from "./lost";

/** A line as it was printed, or a word of ours about lines that are not there. */
export type LogLine =
  | { kind: "stdout" | "stderr" | "note"; text: string }
  | { kind: "cut"; bytes: number }
  | { kind: "lost"; count: number };

export interface LogBlock {
  /** The number of its first line, from 1. */
  readonly first: number;
  readonly lines: readonly LogLine[];
  /** Characters of all lines. */
  readonly size: number;
}

/** The same lines that the server's `logs` has of these events. */
export function logEvent(draft: Draft, event: Fields): void {
  const bytes = numberAt(event, "bytes");
  switch (textAt(event, "subtype")) {
    case "output":
      place(draft.log, {
        kind: textAt(event, "stream") === "stderr" ? "stderr" : "stdout",
        text: textAt(event, "text"),
      });
      break;
    case "cut":
    case "unreadable":
      if (bytes !== null) place(draft.log, { kind: "cut", bytes });
      break;
    case "stdout_cut":
      place(draft.log, { kind: "note", text: textAt(event, "text") });
      break;
    case "lost":
      if (isLost(event)) logLost(draft, lostIn(event));
  }
}

export function logLost(draft: Draft, count: number): void {
  place(draft.log, { kind: "lost", count });
}

/** The log of a pod, which is text. */
export function logOfText(text: string): readonly LogBlock[] {
  const blocks: LogBlock[] = [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) place(blocks, { kind: "stdout", text: line });
  return blocks;
}

function place(blocks: LogBlock[], line: LogLine): void {
  const size = "text" in line ? line.text.length : 0;
  const last = blocks.at(-1);
  if (!last || last.lines.length === LINES_IN_BLOCK || last.size > SIZE_OF_BLOCK) {
    blocks.push({ first: last ? last.first + last.lines.length : 1, lines: [line], size });
    return;
  }
  blocks[blocks.length - 1] = {
    ...last,
    lines: [...last.lines, line],
    size: last.size + size,
  };
}
