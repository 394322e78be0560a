/** What an ask says, sorted for people: what would happen, and what the agent says about it. */
import type { Approval } from "../api/views";
import type { Item } from "../transcript/items";
import { parseJson, printJson } from "./json";

export interface ShownFact {
  /** A member of the tool's input where `isInput`, else the name of a fact. */
  name: string;
  isInput: boolean;
  text: string;
}

/** Members of inputs that do nothing: with them the agent tells what it wants people to think. */
const PROSE: Record<string, readonly string[]> = { Bash: ["description"] };

/** Everything that would happen, in the order in which a person reads it. Nothing is left out. */
export function factsOf({ tool, facts }: Pick<Approval, "tool" | "facts">): {
  facts: ShownFact[];
  said: string[];
} {
  const all = facts.flatMap(membersOf).filter(({ text }) => text !== "");
  const isProse = ({ isInput, name }: ShownFact) => isInput && !!PROSE[tool]?.includes(name);
  const shown = all.filter((each) => !isProse(each));
  return {
    facts: [...shown.filter((each) => each.isInput), ...shown.filter((each) => !each.isInput)],
    said: all.filter(isProse).map(({ text }) => text),
  };
}

/** A tool's input member by member, any other fact as it is. */
function membersOf({ name, value }: Approval["facts"][number]): ShownFact[] {
  const input = name === "args" ? inputOf(value) : null;
  if (!input) return [{ name, isInput: false, text: value }];
  return Object.entries(input).map(([member, each]) => ({
    name: member,
    isInput: true,
    text: typeof each === "string" && each !== "" ? each : printJson(each),
  }));
}

/** null for what is no object: then its text is shown as it is. */
function inputOf(text: string): Record<string, unknown> | null {
  try {
    const value = parseJson<unknown>(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? Object.fromEntries(Object.entries(value)) : null;
  } catch {
    return null;
  }
}

/** Whether all of it is on the screen, so that a yes is to what was seen. */
export function isWhole({ isComplete, facts }: Pick<Approval, "isComplete" | "facts">): boolean {
  return isComplete && facts.every((fact) => !fact.isCut);
}

/** What the agent itself said last; empty where it said nothing. */
export function lastSpeech(items: readonly Item[]): string {
  const said = items.findLast((item) => item.kind === "text" && item.parent === null);
  return said?.kind === "text" ? said.text : "";
}

/** The id of a person of this server in a name that decides; null for other names. */
export function personOf(by: string): string | null {
  return by.startsWith("heliostat:") ? by.slice("heliostat:".length) : null;
}
