import { AGENTS } from "./agents";
import { APP } from "./app";
import { APPROVALS } from "./approvals";
import { CHAT } from "./chat";
import { EDITS } from "./edits";
import { EXPIRY } from "./expiry";
import { FIELDS } from "./fields";
import { HOME } from "./home";
import { HOSTS } from "./hosts";
import { KEYS } from "./keys";
import { MINE } from "./mine";
import { REASONS } from "./reasons";
import { RUN } from "./run";
import { SCHEDULES } from "./schedules";
import { SETTINGS } from "./settings";
import { STEPS } from "./steps";
import { USAGE } from "./usage";
import { WEBHOOKS } from "./webhooks";

/** Every text of the dashboard, in every language. `{name}` is a place that is filled in. */
export const CATALOGUE = {
  ...AGENTS,
  ...APP,
  ...APPROVALS,
  ...CHAT,
  ...EDITS,
  ...EXPIRY,
  ...FIELDS,
  ...HOME,
  ...HOSTS,
  ...KEYS,
  ...MINE,
  ...REASONS,
  ...RUN,
  ...SCHEDULES,
  ...SETTINGS,
  ...STEPS,
  ...USAGE,
  ...WEBHOOKS,
} as const satisfies Record<string, Record<"en" | "ko", string>>;

export type Key = keyof typeof CATALOGUE;
