/** An agent as it is written: what the form, the comparison and the saving work on. */
import type { AgentDetail } from "../api/views";

export type Tree = Readonly<Record<string, unknown>>;

export interface Content {
  readonly name: string;
  readonly description: string;
  readonly spec: Tree;
}

export interface Revision {
  readonly number: number;
  readonly content: Content;
}

/** null: an agent without revisions, which is changed elsewhere. */
export function revisionOf(agent: AgentDetail): Revision | null {
  if (agent.revision === null || agent.revision === undefined) return null;
  const { name, description, spec } = agent;
  return { number: agent.revision, content: { name, description, spec } };
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

/** The value at `spec.limits.timeoutSeconds`; undefined when it is not there. */
export function valueAt(content: Content, path: string): unknown {
  let value: unknown = content;
  for (const step of path.split(".")) value = isTree(value) ? value[step] : undefined;
  return value;
}

/** The same with another value there; undefined takes it out, with objects that become empty. */
export function withValue(content: Content, path: string, value: unknown): Content {
  const [head = "", ...steps] = path.split(".");
  if (head === "spec") return { ...content, spec: placed(content.spec, steps, value) ?? {} };
  return { ...content, [head]: value ?? "" };
}

function placed(tree: Tree, steps: readonly string[], value: unknown): Tree | undefined {
  const [step = "", ...rest] = steps;
  const there = tree[step];
  const inner = rest.length > 0 ? placed(isTree(there) ? there : {}, rest, value) : value;
  const { [step]: _, ...others } = tree;
  if (inner !== undefined) return { ...tree, [step]: inner };
  return Object.keys(others).length > 0 ? others : undefined;
}

/** By value; the order of fields does not matter, and a field with null is as good as none. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other || (one ?? null) === (other ?? null)) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, at) => isSame(each, other[at]));
  }
  if (!isTree(one) || !isTree(other)) return false;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) =>
    isSame(one[key], other[key]),
  );
}
