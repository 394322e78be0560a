/** What was written and not saved stays with the tab: nobody loses it by going back or reloading. */
import { isTree } from "./contents";
import type { Editing } from "./editing";

const PREFIX = "heliostat.edit.";

export function keepEditing(id: string, editing: Editing | null): void {
  try {
    if (editing) sessionStorage.setItem(PREFIX + id, JSON.stringify(editing));
    else sessionStorage.removeItem(PREFIX + id);
  } catch {
    // A browser may forbid storage: then the page asks before it is left, as it does anyway.
  }
}

export function keptEditing(id: string): Editing | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(PREFIX + id) ?? "null");
    return isEditing(kept) ? { ...kept, sent: null } : null;
  } catch {
    return null;
  }
}

function isEditing(kept: unknown): kept is Editing {
  return (
    isTree(kept) && isTree(kept.base) && isContent(kept.base.content) && isContent(kept.content)
  );
}

function isContent(content: unknown): boolean {
  return isTree(content) && typeof content.name === "string" && isTree(content.spec);
}
