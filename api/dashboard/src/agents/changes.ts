/** What differs between two states, and how two people's edits of one state come together. */
import { type Content, isSame, isTree, type Tree, valueAt, withValue } from "./contents";

export interface Change {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** A field that both changed, differently. */
export interface Overlap {
  readonly field: string;
  readonly before: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
}

/** Objects are compared field by field, lists as a whole, as the server does. */
export function changesBetween(before: Content, after: Content): Change[] {
  return [...between({ ...before }, { ...after }, "")].sort((one, other) =>
    one.field < other.field ? -1 : 1,
  );
}

function* between(before: unknown, after: unknown, path: string): Generator<Change> {
  if (isSame(before, after)) return;
  if (isObject(before) && isObject(after)) {
    const [left, right] = [before ?? {}, after ?? {}];
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      yield* between(left[key], right[key], path ? `${path}.${key}` : key);
    }
    return;
  }
  yield { field: path, before: before ?? null, after: after ?? null };
}

function isObject(value: unknown): value is Tree | null | undefined {
  return value === null || value === undefined || isTree(value);
}

/** The JSON merge patch (RFC 7396) that makes `after` of `before`. */
export function patchBetween(before: Tree, after: Tree): Tree {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    const there = before[key];
    if (isSame(there, value)) continue;
    patch[key] = isTree(there) && isTree(value) ? patchBetween(there, value) : value;
  }
  return patch;
}

export function overlapsOf(base: Content, mine: Content, theirs: Content): Overlap[] {
  const others = changesBetween(base, theirs);
  return changesBetween(base, mine).flatMap(({ field, before, after }) => {
    const isTouched = others.some(
      (each) => isWithin(each.field, field) || isWithin(field, each.field),
    );
    const there = valueAt(theirs, field) ?? null;
    if (!isTouched || isSame(there, after)) return [];
    return [{ field, before, mine: after, theirs: there }];
  });
}

function isWithin(field: string, outer: string): boolean {
  return field === outer || field.startsWith(`${outer}.`);
}

/** Theirs, with my changes put over it, but for the fields of which theirs is taken. */
export function merged(
  base: Content,
  mine: Content,
  theirs: Content,
  taken: ReadonlySet<string>,
): Content {
  return changesBetween(base, mine)
    .filter(({ field }) => !taken.has(field))
    .reduce((all, { field, after }) => withValue(all, field, after ?? undefined), theirs);
}
