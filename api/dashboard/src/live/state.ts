/** How it stands with the one source, for every part of the page. */
import { useSyncExternalStore } from "react";
import type { Report } from "../api/views";
import type { Link } from "./frames";
import type { World } from "./world";

export interface LiveState {
  readonly link: Link;
  /** null until the first snapshot. */
  readonly world: World | null;
  /** The latest report and, in this browser's milliseconds, when it came. */
  readonly heard: { report: Report; at: number } | null;
}

let present: LiveState = { link: { state: "connecting" }, world: null, heard: null };
const listeners = new Set<() => void>();

export function publish(change: Partial<LiveState>): void {
  present = { ...present, ...change };
  for (const listener of listeners) listener();
}

export function liveState(): LiveState {
  return present;
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLive<Part>(select: (state: LiveState) => Part): Part {
  return useSyncExternalStore(subscribe, () => select(present));
}

/** Whether the server has said that the session is over. */
export function useIsOver(): boolean {
  return useLive((state) => state.link.state === "over");
}

/** The run that a command led to, once a report told of it; null when none did in time. */
export function reportedRun(correlationId: string, withinMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const settle = (id: string | null) => {
      stop();
      clearTimeout(timer);
      resolve(id);
    };
    const look = () => {
      const runs = present.world ? [...present.world.executions.values()] : [];
      const run = runs.find((each) => each.correlationId === correlationId);
      if (run) settle(run.id);
    };
    const stop = subscribe(look);
    const timer = setTimeout(() => settle(null), withinMs);
    look();
  });
}
