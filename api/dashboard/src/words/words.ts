import { CATALOGUE, type Key } from "./catalogue";
import * as formats from "./formats";
import { browserZone, type Language, languageOf, usePreferences } from "./preferences";
import { useScripted } from "./scripted";

export type Values = Record<string, string | number>;

/** A text with its `{places}` filled in. */
export function say(language: Language, key: Key, values: Values = {}): string {
  return CATALOGUE[key][language].replace(/\{(\w+)\}/g, (place, name) =>
    String(values[name] ?? place),
  );
}

function isKey(name: string): name is Key {
  return name in CATALOGUE;
}

type Group =
  | "phase"
  | "reason"
  | "trigger"
  | "chatTool"
  | "chatStatus"
  | "chatChart"
  | "fire"
  | "askClass"
  | "askState"
  | "askFact";

/** The texts of an open set (phases, reasons): unknown ones with their words apart. */
export function sayName(language: Language, group: Group, name: string) {
  const key = `${group}.${name}`;
  if (isKey(key)) return say(language, key);
  return name.replace(/([a-z])([A-Z])/g, "$1 $2");
}

export interface Words {
  language: Language;
  t(key: Key, values?: Values): string;
  name(group: Group, name: string): string;
  duration(seconds: number): string;
  shortDuration(ms: number): string;
  amount(count: number): string;
  ago(instant: number, now: number): string;
  instant(time: string): string;
  clock(time: string): string;
  day(day: string, withYear: boolean): string;
  date(day: string, withYear: boolean): string;
  /** The person's zone: chosen, or the browser's. */
  zone: string;
}

/** Texts and figures in the person's language and zone. */
export function useWords(): Words {
  const preferences = usePreferences();
  useScripted();
  const { zone } = preferences;
  const language = languageOf(preferences);
  return {
    language,
    t: (key, values) => say(language, key, values),
    name: (group, name) => sayName(language, group, name),
    duration: (seconds) => formats.duration(seconds, language),
    shortDuration: (ms) => formats.shortDuration(ms, language),
    amount: (count) => formats.amount(count, language),
    ago: (instant, now) => formats.ago(instant, now, language, zone),
    instant: (time) => formats.instant(time, language, zone),
    clock: (time) => formats.clock(time, language, zone),
    day: (day, withYear) => formats.day(day, language, withYear),
    date: (day, withYear) => formats.date(day, language, withYear),
    zone: zone ?? browserZone(),
  };
}
