/** What people type and what a spec holds: money and time without floats on the way. */

import { printJson } from "../lib/json";
import { isTexts } from "./contents";

export type Kind =
  | "text"
  | "line"
  | "dollars"
  | "minutes"
  | "whole"
  | "waits"
  | "lines"
  | "arguments";

/** What a text means; undefined: nothing, so that the default holds; null: nobody can tell. */
export type Meaning = string | number | number[] | string[] | undefined | null;

interface Reading {
  parse(text: string): Meaning;
  show(value: unknown): string;
}

const MICROS = 1_000_000;

/** `5`, `$0.25`, `1,000.50` in micro-dollars. */
export function parseDollars(text: string): number | null {
  const found = /^\$?\s*(\d{1,7})(?:\.(\d{0,6}))?$/.exec(text.replaceAll(",", "").trim());
  if (!found) return null;
  return Number(found[1]) * MICROS + Number((found[2] ?? "").padEnd(6, "0"));
}

/** `5.00`, `0.0025`: as many digits as there are, at least cents. */
export function showDollars(micros: number): string {
  const cents = String(micros % MICROS).padStart(6, "0");
  return `${Math.floor(micros / MICROS)}.${cents.slice(0, 2)}${cents.slice(2).replace(/0+$/, "")}`;
}

const UNITS: [number, RegExp][] = [
  [86_400, /^(?:d|days?|일)$/],
  [3600, /^(?:h|hours?|시간)$/],
  [60, /^(?:m|min|minutes?|분)$/],
  [1, /^(?:s|sec|seconds?|초)$/],
];

/** `90` and `1.5` are minutes; `1h 30m`, `45 s`, `1시간 30분` say their units. In seconds. */
export function parseDuration(text: string): number | null {
  const asked = text.trim().toLowerCase();
  if (/^\d+(?:\.\d+)?$/.test(asked)) return seconds(asked, 60);
  const parts = [...asked.matchAll(/(\d+(?:\.\d+)?)\s*([a-z가-힣]+)\s*/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== asked) return null;
  let sum = 0;
  for (const [, amount = "", name = ""] of parts) {
    const unit = UNITS.find(([, names]) => names.test(name));
    const part = unit ? seconds(amount, unit[0]) : null;
    if (part === null) return null;
    sum += part;
  }
  return sum;
}

/** Whole seconds or none. */
function seconds(amount: string, unit: number): number | null {
  const [whole = "", fraction = ""] = amount.split(".");
  if (whole.length > 9 || fraction.length > 4) return null;
  const scale = 10 ** fraction.length;
  const scaled = (Number(whole) * scale + Number(fraction || "0")) * unit;
  return scaled % scale === 0 ? scaled / scale : null;
}

/** Minutes as a number alone, anything else with its units. */
export function showDuration(given: number): string {
  if (given % 60 === 0) return String(given / 60);
  const [h, m, s] = [Math.floor(given / 3600), Math.floor(given / 60) % 60, given % 60];
  return [h > 0 && `${h}h`, m > 0 && `${m}m`, `${s}s`].filter(Boolean).join(" ");
}

function parseWhole(text: string): number | null {
  const digits = text.replaceAll(/[,\s]/g, "");
  return /^\d{1,15}$/.test(digits) ? Number(digits) : null;
}

function parseWaits(text: string): number[] | null {
  const found = text.split(/[,\s]+/).map(parseWhole);
  return found.some((each) => each === null) ? null : found.filter((each) => each !== null);
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

/** One argument a line, or a JSON list where an argument has lines of its own. */
function parseArguments(text: string): string[] | null {
  if (!text.trimStart().startsWith("[")) return linesOf(text);
  try {
    const found: unknown = JSON.parse(text);
    return isTexts(found) ? [...found] : null;
  } catch {
    return null;
  }
}

function showArguments(value: unknown): string {
  if (!isTexts(value)) return "";
  const isPlain = value.every((each) => each.trim() === each && !/\n/.test(each));
  return isPlain && !value[0]?.startsWith("[") ? value.join("\n") : printJson(value, 1);
}

const shownNumber = (show: (value: number) => string) => (value: unknown) =>
  typeof value === "number" ? show(value) : "";

const showText = (value: unknown) => (typeof value === "string" ? value : "");

const READINGS: Record<Kind, Reading> = {
  text: { parse: (text) => text, show: showText },
  line: { parse: (text) => text.trim(), show: showText },
  dollars: { parse: parseDollars, show: shownNumber(showDollars) },
  minutes: { parse: parseDuration, show: shownNumber(showDuration) },
  whole: { parse: parseWhole, show: shownNumber(String) },
  waits: {
    parse: parseWaits,
    show: (value) => (Array.isArray(value) ? value.map(String).join(", ") : ""),
  },
  lines: { parse: linesOf, show: (value) => (isTexts(value) ? value.join("\n") : "") },
  arguments: { parse: parseArguments, show: showArguments },
};

export function meaningOf(kind: Kind, text: string): Meaning {
  // A list that was asked for stays a list, empty or not.
  const isList = kind === "lines" || kind === "arguments";
  if (text.trim() === "") return isList ? [] : undefined;
  return READINGS[kind].parse(text);
}

export function showValue(kind: Kind, value: unknown): string {
  return READINGS[kind].show(value);
}
