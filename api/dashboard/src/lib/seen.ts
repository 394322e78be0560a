/** Which news a person has seen: those of before, and those that they opened. */
import { useSyncExternalStore } from "react";
import { read, write } from "../words/preferences";

const UNTIL = "heliostat.seenUntil";
const OPENED = "heliostat.seenRuns";
const OPENED_KEPT = 200;

export interface Seen {
  /** Everything that ended up to here, an instant. */
  readonly until: string;
  readonly opened: readonly string[];
}

const listeners = new Set<() => void>();
let present = load();

function load(): Seen {
  const until = read(UNTIL);
  if (!until) {
    const now = new Date().toISOString();
    write(UNTIL, now);
    return { until: now, opened: [] };
  }
  return { until, opened: read(OPENED)?.split(" ") ?? [] };
}

function publish(next: Seen): void {
  present = next;
  for (const listener of listeners) listener();
}

function save(next: Seen): void {
  write(UNTIL, next.until);
  write(OPENED, next.opened.join(" "));
  publish(next);
}

export function isUnseen({ key, time }: { key: string; time: string }, seen: Seen): boolean {
  return !seen.opened.includes(key) && Date.parse(time) > Date.parse(seen.until);
}

export function markSeen(key: string): void {
  if (!present.opened.includes(key)) {
    save({ ...present, opened: [...present.opened, key].slice(-OPENED_KEPT) });
  }
}

export function markAllSeen(): void {
  save({ until: new Date().toISOString(), opened: [] });
}

function subscribe(listener: () => void): () => void {
  const follow = () => publish(load());
  listeners.add(listener);
  addEventListener("storage", follow);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", follow);
  };
}

export function useSeen(): Seen {
  return useSyncExternalStore(subscribe, () => present);
}
