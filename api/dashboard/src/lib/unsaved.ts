/** Nobody leaves what they wrote by accident: a page with unsaved words is asked about first. */
import { useEffect, useSyncExternalStore } from "react";
import type { AroundNavHandler } from "wouter";

let unsaved = 0;
let waiting: (() => void) | null = null;
const listeners = new Set<() => void>();

function setWaiting(next: (() => void) | null): void {
  waiting = next;
  for (const listener of listeners) listener();
}

/** Ways inside the same page are free. */
export const guardedNavigation: AroundNavHandler = (navigate, to, options) => {
  const isLeaving = new URL(to, location.href).pathname !== location.pathname;
  if (unsaved > 0 && isLeaving) setWaiting(() => navigate(to, options));
  else navigate(to, options);
};

/** While `isUnsaved`, whoever wants to leave is asked. */
export function useUnsaved(isUnsaved: boolean): void {
  useEffect(() => {
    if (!isUnsaved) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    unsaved += 1;
    addEventListener("beforeunload", ask);
    return () => {
      unsaved -= 1;
      removeEventListener("beforeunload", ask);
    };
  }, [isUnsaved]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The way that waits for an answer; null when nobody wants to leave. */
export function useLeaving(): { leave: () => void; stay: () => void } | null {
  const go = useSyncExternalStore(subscribe, () => waiting);
  if (!go) return null;
  const stay = () => setWaiting(null);
  return {
    stay,
    leave: () => {
      stay();
      go();
    },
  };
}
