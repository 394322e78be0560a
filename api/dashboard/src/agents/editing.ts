/** One person's edit of an agent: what was read, what they made of it, and how they typed it. */
import { changesBetween, merged, type Overlap, overlapsOf } from "./changes";
import { type Content, isSame, type Revision, valueAt, withValue } from "./contents";
import { isTextField, KINDS, type TextField } from "./fields";
import { meaningOf, showValue } from "./kinds";
import { type Fault, faultsOf } from "./rules";

export interface Editing {
  readonly base: Revision;
  readonly content: Content;
  /** Texts as they were typed: `5.` must not become `5.00` under somebody's hands. */
  readonly typed: Readonly<Record<string, string>>;
  /** What was sent to be saved, until it is read again. */
  readonly sent: Content | null;
}

export function beginEditing(base: Revision): Editing {
  return { base, content: base.content, typed: {}, sent: null };
}

/** A text field after typing. What nobody can read leaves the value as it was. */
export function withTyped(editing: Editing, path: TextField, text: string): Editing {
  const meaning = meaningOf(KINDS[path], text);
  const content = meaning === null ? editing.content : withValue(editing.content, path, meaning);
  return { ...editing, content, typed: { ...editing.typed, [path]: text } };
}

export function withField(editing: Editing, path: string, value: unknown): Editing {
  const others = Object.entries(editing.typed).filter(
    ([each]) => each !== path && !each.startsWith(`${path}.`),
  );
  const content = withValue(editing.content, path, value);
  return { ...editing, content, typed: Object.fromEntries(others) };
}

/** What the field shows: the text as it was typed while it still stands for the value. */
export function shownText(editing: Editing, path: TextField): string {
  const typed = editing.typed[path];
  const value = valueAt(editing.content, path);
  if (typed !== undefined) {
    const meaning = meaningOf(KINDS[path], typed);
    if (meaning === null || isSame(meaning ?? "", value ?? "")) return typed;
  }
  return showValue(KINDS[path], value);
}

export function isDirty(editing: Editing): boolean {
  return !isSame(editing.content, editing.base.content) || unreadOf(editing).length > 0;
}

function unreadOf(editing: Editing): TextField[] {
  return Object.entries(editing.typed).flatMap(([path, text]) =>
    isTextField(path) && meaningOf(KINDS[path], text) === null ? [path] : [],
  );
}

/** What keeps it from being saved, by field. */
export function faultsOfEditing(editing: Editing): Map<string, Fault> {
  const faults = faultsOf(editing.content);
  for (const path of unreadOf(editing)) faults.set(path, { key: "fault.unread" });
  return faults;
}

/** The agent was read again: the edit goes on from there, unless somebody else saved meanwhile. */
export function afterRead(editing: Editing, latest: Revision): Editing {
  if (latest.number === editing.base.number && editing.sent === null) return editing;
  if (isSame(latest.content, editing.base.content) || isOwn(editing, latest)) {
    return { ...editing, base: latest, sent: null };
  }
  return isDirty(editing) ? editing : beginEditing(latest);
}

function isOwn(editing: Editing, latest: Revision): boolean {
  return isSame(latest.content, editing.content) || isSame(latest.content, editing.sent ?? {});
}

export interface Conflict {
  readonly latest: Revision;
  /** Fields that both changed. */
  readonly overlaps: Overlap[];
  readonly theirs: ReturnType<typeof changesBetween>;
}

/** What somebody else saved since this edit began; null when nobody did. */
export function conflictOf(editing: Editing, latest: Revision): Conflict | null {
  const { base, content } = editing;
  if (latest.number <= base.number || afterRead(editing, latest) !== editing) return null;
  return {
    latest,
    overlaps: overlapsOf(base.content, content, latest.content),
    theirs: changesBetween(base.content, latest.content),
  };
}

/** Goes on from theirs with my changes, but for the fields of which theirs is taken. */
export function resolved(editing: Editing, latest: Revision, taken: ReadonlySet<string>): Editing {
  const content = merged(editing.base.content, editing.content, latest.content, taken);
  // What nobody could read yet stays to be mended.
  return { ...beginEditing(latest), content, typed: editing.typed };
}
