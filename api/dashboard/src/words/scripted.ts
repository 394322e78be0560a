/** Whether a script answers here instead of models: then no amount of money is real. */
import { useSyncExternalStore } from "react";

let isScripted = false;
const listeners = new Set<() => void>();

export function setScripted(next: boolean): void {
  if (next === isScripted) return;
  isScripted = next;
  for (const listener of listeners) listener();
}

export function isScriptedNow(): boolean {
  return isScripted;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What shows money is drawn anew when it turns out to be a script's. */
export function useScripted(): boolean {
  return useSyncExternalStore(subscribe, isScriptedNow);
}
