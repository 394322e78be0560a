/** Parts of the program that are fetched when somebody first needs them. */
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { backoffMs } from "../live/backoff";

/** So often a server that is there is asked for a part: it may have come back just now. */
const TRIES = 2;

export interface Surroundings {
  /** Whether the server answers at all. */
  isThere: () => Promise<boolean>;
  wait: (milliseconds: number) => Promise<void>;
  /** Begins again with the server's present page; false: that was tried a moment ago. */
  beginAgain: () => boolean;
}

/**
 * Fetches in spite of a server that is away for a while. A server that is there and has no such
 * part is another version than this page: then only the page's own beginning helps. Raises what
 * `load` raised when that did not help either.
 */
export async function patiently<Part>(
  load: () => Promise<Part>,
  { isThere, wait, beginAgain }: Surroundings,
): Promise<Part> {
  let missing = 0;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await load();
    } catch (error) {
      missing = (await isThere()) ? missing + 1 : 0;
      if (missing === TRIES) {
        if (beginAgain()) return new Promise(() => {});
        throw error;
      }
    }
    await wait(backoffMs(missing > 0 ? 0 : attempt, Math.random()));
  }
}

/** `lazy` of React that has the patience of `patiently`. */
export function fetched<Props>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(() => patiently(load, BROWSER));
}

const BEGAN = "heliostat.beganAgain";
const ONCE_IN_MS = 60_000;

const BROWSER: Surroundings = {
  isThere: async () => {
    try {
      return (await fetch("/readyz", { cache: "no-store" })).ok;
    } catch {
      return false;
    }
  },
  wait: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
  beginAgain: () => {
    try {
      if (Date.now() - Number(sessionStorage.getItem(BEGAN)) < ONCE_IN_MS) return false;
      sessionStorage.setItem(BEGAN, String(Date.now()));
    } catch {
      return false; // without a memory it would begin again for ever
    }
    location.reload();
    return true;
  },
};
