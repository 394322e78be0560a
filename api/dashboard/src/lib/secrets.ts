/** What is typed for a secret, and what is wrong with it. */

export interface Pair {
  id: number;
  key: string;
  value: string;
}

const KEY = /^[A-Za-z0-9._-]+$/;

/** As its hint says, and as the `secretRefs` of an agent take it: a name of Kubernetes. */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export function isSecretName(name: string): boolean {
  return NAME.test(name);
}

export type PairProblem = "keyWrong" | "twice" | "missing";

/** null: fine. An empty line is not wrong, it is left out. */
export function problemOf(pair: Pair, pairs: readonly Pair[]): PairProblem | null {
  if (!pair.key) return pair.value ? "keyWrong" : null;
  if (!KEY.test(pair.key)) return "keyWrong";
  if (pairs.some((other) => other.id !== pair.id && other.key === pair.key)) return "twice";
  return pair.value ? null : "missing";
}

/** null as long as something is wrong, or nothing is there. */
export function valuesOf(pairs: readonly Pair[]): Record<string, string> | null {
  const told = pairs.filter((pair) => pair.key || pair.value);
  if (told.length === 0 || told.some((pair) => problemOf(pair, pairs))) return null;
  return Object.fromEntries(told.map(({ key, value }) => [key, value]));
}
