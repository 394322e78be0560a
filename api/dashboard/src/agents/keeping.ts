/** What was written and not saved stays with the tab: nobody loses it by going back or reloading. */
import { parseJson, printJson } from "../lib/json";
import { isTree } from "./contents";
import type { Editing } from "./editing";

/** The text of a manifest that is being written, and the revision that it was made of. */
export interface YamlText {
  readonly text: string;
  readonly revision: number;
}

export function keepEditing(id: string, editing: Editing | null): void {
  keep(`edit.${id}`, editing);
}

export function keptEditing(id: string): Editing | null {
  const found = kept(`edit.${id}`);
  return isEditing(found) ? { ...found, sent: null } : null;
}

export function keepYaml(id: string, yaml: YamlText | null): void {
  keep(`yaml.${id}`, yaml);
}

export function keptYaml(id: string): YamlText | null {
  const found = kept(`yaml.${id}`);
  return isYaml(found) ? found : null;
}

function keep(name: string, value: object | null): void {
  try {
    if (value) sessionStorage.setItem(`heliostat.${name}`, printJson(value));
    else sessionStorage.removeItem(`heliostat.${name}`);
  } catch {
    // A browser may forbid storage: then the page asks before it is left, as it does anyway.
  }
}

function kept(name: string): unknown {
  try {
    return parseJson(sessionStorage.getItem(`heliostat.${name}`) ?? "null");
  } catch {
    return null;
  }
}

function isEditing(found: unknown): found is Editing {
  return (
    isTree(found) && isTree(found.base) && isContent(found.base.content) && isContent(found.content)
  );
}

function isContent(found: unknown): boolean {
  return isTree(found) && typeof found.name === "string" && isTree(found.spec);
}

function isYaml(found: unknown): found is YamlText {
  return isTree(found) && typeof found.text === "string" && typeof found.revision === "number";
}
