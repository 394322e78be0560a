/** JSON in lines, each value as it was written: no number is read, so none is rounded. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;
const BEGINS: ReadonlySet<string> = new Set("{[");
const ENDS: ReadonlySet<string> = new Set("}]");
const INDENT = "  ";

/** The text itself where it is no JSON, or not all of it. */
export function spread(text: string): string {
  if (!isJson(text)) return text;
  const written: string[] = [];
  let depth = 0;
  let before = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (ENDS.has(token)) depth -= 1;
    if (isOnNewLine(before, token)) written.push(`\n${INDENT.repeat(depth)}`);
    written.push(token === ":" ? ": " : token);
    if (BEGINS.has(token)) depth += 1;
    before = token;
  }
  return written.join("");
}

function isOnNewLine(before: string, token: string): boolean {
  if (ENDS.has(token)) return !BEGINS.has(before);
  return before === "," || BEGINS.has(before);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
