import { useCallback, useEffect, useState } from "react";
import { useUnsaved } from "../lib/unsaved";
import type { Revision } from "./contents";
import { afterRead, beginEditing, type Editing, isDirty } from "./editing";
import { keepEditing, keptEditing } from "./keeping";

/**
 * The edit of one agent while its page is open. It follows what is read, is kept for this tab when
 * the page is left, and asks before it is.
 */
export function useEditing(id: string, latest: Revision) {
  const [editing, setEditing] = useState<Editing>(() =>
    afterRead(keptEditing(id) ?? beginEditing(latest), latest),
  );
  const [isRestored, setRestored] = useState(() => isDirty(editing));
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
      setEditing(beginEditing(latest));
    },
  };
}
