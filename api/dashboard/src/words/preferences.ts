/** What a person chose on this browser. Other tabs follow at once. */
import { useSyncExternalStore } from "react";

export type Language = "en" | "ko";

export interface Preferences {
  /** null: as the browser says. */
  language: Language | null;
  /** An IANA name; null: the browser's zone. */
  zone: string | null;
}

const LANGUAGE = "heliostat.language";
const ZONE = "heliostat.zone";

const listeners = new Set<() => void>();
let present = readAll();

function readAll(): Preferences {
  const language = read(LANGUAGE);
  const zone = read(ZONE);
  return {
    language: language === "en" || language === "ko" ? language : null,
    zone: zone && isZone(zone) ? zone : null,
  };
}

/** A browser may forbid storage altogether. */
export function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Chosen for this page only.
  }
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function publish(next: Preferences): void {
  present = next;
  for (const listener of listeners) listener();
}

export function choose(change: Partial<Preferences>): void {
  const next = { ...present, ...change };
  write(LANGUAGE, next.language);
  write(ZONE, next.zone);
  publish(next);
}

function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export function languageOf({ language }: Preferences): Language {
  return language ?? browserLanguage();
}

/** Of texts that are made outside of a page's components. */
export function presentLanguage(): Language {
  return languageOf(present);
}

export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function subscribe(listener: () => void): () => void {
  const follow = () => publish(readAll());
  listeners.add(listener);
  addEventListener("storage", follow);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", follow);
  };
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => present);
}
