/** The forms of a schedule, and the way from one to another without losing what is common. */
import type { Tree } from "./contents";

export const FREQUENCIES = ["hourly", "daily", "weekly", "monthly"] as const;
export const WEEKDAYS = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
] as const;

export const OVERLAPS = ["Skip", "QueueOne", "Replace", "Allow"] as const;
export const CATCH_UPS = ["None", "Latest", "All"] as const;
export const DAYLIGHT = ["Once", "Wall", "UTC"] as const;

export type Form = "none" | "frequency" | "cron";

const WHEN = ["cron", "frequency", "time", "weekday", "monthDay"];

export function formOf(schedule: Tree | null): Form {
  if (!schedule) return "none";
  return typeof schedule.cron === "string" || !schedule.frequency ? "cron" : "frequency";
}

/** The schedule in another form: when it comes is new, or as it was left; the rest stays. */
export function inForm(
  form: Form,
  schedule: Tree | null,
  left: Tree | undefined,
  zone: string,
): Tree | undefined {
  if (form === "none") return undefined;
  const rest = without(schedule ?? left ?? { timeZone: zone }, WHEN);
  const when = left ? only(left, WHEN) : whenOf(form);
  return { ...when, ...rest };
}

function whenOf(form: "frequency" | "cron"): Tree {
  return form === "cron" ? { cron: "0 8 * * *" } : { frequency: "daily", time: "08:00" };
}

/** Only what belongs to a frequency stays beside it. */
export function withFrequency(schedule: Tree, frequency: string): Tree {
  const foreign = [
    ...(frequency === "weekly" ? [] : ["weekday"]),
    ...(frequency === "monthly" ? [] : ["monthDay"]),
  ];
  return { ...without(schedule, foreign), frequency };
}

function without(tree: Tree, names: readonly string[]): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !names.includes(name)));
}

function only(tree: Tree, names: readonly string[]): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => names.includes(name)));
}
