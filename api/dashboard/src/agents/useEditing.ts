import { useCallback, useEffect, useState } from "react";
import { useUnsaved } from "../lib/unsaved";
import type { Revision } from "./contents";
import { afterRead, beginEditing, type Editing, isDirty, resolved } from "./editing";
import { keepEditing, keepYaml, keptEditing, keptYaml, type YamlText } from "./keeping";

export type Draft = ReturnType<typeof useEditing>;

/**
 * The edit of one agent while its page is open. It follows what is read, is kept for this tab when
 * the page is left, and asks before it is.
 */
export function useEditing(id: string, latest: Revision) {
  const [editing, setEditing] = useState<Editing>(() =>
    afterRead(keptEditing(id) ?? beginEditing(latest), latest),
  );
  const [isRestored, setRestored] = useState(() => isDirty(editing));
  const [aside, setAside] = useState<Editing | null>(null);
  const followed = afterRead(editing, latest);
  if (followed !== editing) setEditing(followed);
  const isUnsaved = isDirty(followed);
  useEffect(() => keepEditing(id, isUnsaved ? followed : null), [id, followed, isUnsaved]);
  useUnsaved(isUnsaved);
  const change = useCallback((next: (editing: Editing) => Editing) => setEditing(next), []);
  return {
    editing: followed,
    change,
    isUnsaved,
    /** It was begun before this page was opened. */
    isRestored: isRestored && isUnsaved,
    discard: () => {
      setRestored(false);
      setAside(null);
      setEditing(beginEditing(latest));
    },
    /** Goes on from what somebody else saved; words that give way are set aside. */
    resolve: (taken: ReadonlySet<string>) => {
      setAside(taken.size > 0 ? resolved(followed, latest, new Set()) : null);
      setEditing(resolved(followed, latest, taken));
    },
    /** Takes back what was set aside; null when nothing is. */
    takeBack: aside && (() => setEditing({ ...followed, content: aside.content, typed: {} })),
    forget: () => setAside(null),
  };
}

/** The manifest that is being written, kept for this tab as long as it is. */
export function useYaml(id: string) {
  const [yaml, setYaml] = useState<YamlText | null>(() => keptYaml(id));
  useEffect(() => keepYaml(id, yaml), [id, yaml]);
  return [yaml, setYaml] as const;
}
