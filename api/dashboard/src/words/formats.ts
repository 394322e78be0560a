/** Money, time and amounts, as a person reads them. */
import { dayOf } from "../lib/days";
import { type Language, presentLanguage } from "./preferences";
import { isScriptedNow } from "./scripted";

const MICROS = 1_000_000;

const SCRIPTS_OWN: Record<Language, string> = { en: "script", ko: "스크립트" };

/** `$0.0056`, `$12.40`; `$0.0056 (script)` where nobody is charged, because a script answers. */
export function money(micros: number, isScripts = isScriptedNow()): string {
  const amount = plainMoney(micros);
  return isScripts ? `${amount} (${SCRIPTS_OWN[presentLanguage()]})` : amount;
}

/** A model of the provider for trials costs nobody anything, whatever else answers here. */
export function moneyOf(micros: number, model: string | null | undefined): string {
  return money(micros, isScriptedNow() || isScriptedModel(model));
}

export function isScriptedModel(model: string | null | undefined): boolean {
  return !!model?.startsWith("scripted/");
}

/** `$0.0056`, `$12.40`: whole micro-dollars in, no floats on the way. */
export function plainMoney(micros: number): string {
  const digits = micros >= MICROS || micros === 0 ? 2 : 4;
  const unit = 10 ** (6 - digits);
  const units = Math.round(micros / unit);
  if (micros > 0 && units === 0) return "<$0.0001";
  const scale = 10 ** digits;
  const rest = String(units % scale).padStart(digits, "0");
  return `$${Math.floor(units / scale).toLocaleString("en")}.${rest}`;
}

const SIZES = ["B", "kB", "MB"] as const;

/** `512 B`, `3.4 kB`, `20 MB`: decimal units, as browsers show downloads. */
export function bytes(size: number): string {
  const step = size >= 1_000_000 ? 2 : size >= 1000 ? 1 : 0;
  const value = size / 1000 ** step;
  return `${step > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${SIZES[step]}`;
}

interface Units {
  h: string;
  m: string;
  s: string;
}

const UNITS: Record<Language, Units> = {
  en: { h: " h", m: " min", s: " s" },
  ko: { h: "시간", m: "분", s: "초" },
};

/** `4 s`, `2 min 5 s`, `1 h 4 min`: the two greatest units. */
export function duration(seconds: number, language: Language): string {
  const whole = Math.max(0, Math.floor(seconds));
  const unit = UNITS[language];
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return m > 0 ? `${h}${unit.h} ${m}${unit.m}` : `${h}${unit.h}`;
  if (m > 0) return s > 0 ? `${m}${unit.m} ${s}${unit.s}` : `${m}${unit.m}`;
  return `${s}${unit.s}`;
}

/** `3.2 s` of something short; longer ones as `duration`. */
export function shortDuration(ms: number, language: Language): string {
  if (ms >= 10_000) return duration(ms / 1000, language);
  return `${(Math.max(0, ms) / 1000).toFixed(1)}${UNITS[language].s}`;
}

/** `1,234`, from ten thousand on `47K`. */
export function amount(count: number, language: Language): string {
  if (count < 10_000) return count.toLocaleString(language);
  return AMOUNT(language).format(count);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** Making a format takes longer than a hundred uses of it. */
function kept<Format>(make: (language: Language, zone: string | null) => Format) {
  const made = new Map<string, Format>();
  return (language: Language, zone: string | null = null): Format => {
    const name = `${language} ${zone}`;
    const format = made.get(name) ?? make(language, zone);
    made.set(name, format);
    return format;
  };
}

const AGO = kept(
  (language) => new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }),
);
/** Every clock of the pages has 24 hours, in every language. */
function timed(fields: Intl.DateTimeFormatOptions) {
  return kept(
    (language, zone) =>
      new Intl.DateTimeFormat(language, {
        ...fields,
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
        ...(zone ? { timeZone: zone } : {}),
      }),
  );
}

const DATE: Intl.DateTimeFormatOptions = { year: "numeric", month: "short", day: "numeric" };
const INSTANT = timed({ ...DATE, second: "2-digit" });
const MOMENT = timed({ ...DATE, weekday: "short" });
const SHORT = timed({ month: "short", day: "numeric" });
const CLOCK = timed({ second: "2-digit" });
const MINUTE = timed({});
const AMOUNT = kept(
  (language) => new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }),
);

const DAY_MS = 86_400_000;

/** `5 min ago`, `in 2 h`; from 24 hours on `tomorrow`, by the calendar of a zone. Milliseconds. */
export function ago(instant: number, now: number, language: Language, zone: string | null): string {
  const format = AGO(language);
  const seconds = Math.round((instant - now) / 1000);
  const days = Math.abs(seconds) * 1000 < DAY_MS ? 0 : daysBetween(now, instant, zone);
  if (days !== 0) return format.format(days, "day");
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return format.format(Math.trunc(seconds / size), unit);
}

/** How many times the date changes between two instants. */
function daysBetween(from: number, to: number, zone: string | null): number {
  return (Date.parse(dayOf(to, zone)) - Date.parse(dayOf(from, zone))) / DAY_MS;
}

export function instant(time: string, language: Language, zone: string | null): string {
  return INSTANT(language, zone).format(new Date(time));
}

/** A day with its weekday and the minute: for what is still to come. */
export function moment(time: string, language: Language, zone: string | null): string {
  return MOMENT(language, zone).format(new Date(time));
}

/** A day without its year and the minute: for charts. Milliseconds. */
export function shortInstant(time: number, language: Language, zone: string | null): string {
  return SHORT(language, zone).format(time);
}

/** The time alone, for steps of one run. */
export function clock(time: string, language: Language, zone: string | null): string {
  return CLOCK(language, zone).format(new Date(time));
}

/** The time alone to the minute, for axes. Milliseconds. */
export function minute(time: number, language: Language, zone: string | null): string {
  return MINUTE(language, zone).format(time);
}

/** A day of a calendar: it has no zone. With its year where others of another year are beside it. */
export function day(text: string, language: Language, withYear: boolean): string {
  return calendar(text, language, { weekday: "short", ...yearOf(withYear) });
}

/** The same for an axis: there the day of the week is too much. */
export function date(text: string, language: Language, withYear: boolean): string {
  return calendar(text, language, yearOf(withYear));
}

function yearOf(withYear: boolean): Intl.DateTimeFormatOptions {
  return withYear ? { year: "numeric" } : {};
}

function calendar(text: string, language: Language, more: Intl.DateTimeFormatOptions): string {
  const format = new Intl.DateTimeFormat(language, {
    month: "short",
    day: "numeric",
    timeZone: "UTC",
    ...more,
  });
  return format.format(new Date(`${text}T00:00:00Z`));
}

/** `+12%`, `-$0.02`: what changes by nothing has no sign. */
export function signed(value: number, format: (size: number) => string): string {
  if (value === 0) return "±0";
  return `${value > 0 ? "+" : "−"}${format(Math.abs(value))}`;
}
