/** Shapes of endpoints whose schema is not in api/openapi.json yet. */
import type { Agent, Execution, Person } from "./views";

export type UsageBy = "day" | "agent" | "model";

export interface Tokens {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

export interface UsageRow {
  key: string;
  label: string;
  costMicros: number;
  requests: number;
  usage: Tokens;
}

export interface UsageReport {
  by: UsageBy;
  timeZone: string;
  from: string;
  to: string;
  rows: UsageRow[];
  totalCostMicros: number;
  forecast: { monthCostMicros: number; text: string } | null;
}

export interface UserKey {
  id: string;
  name: string;
  scopes: string[];
  createdTime: string;
  expiresTime: string | null;
  lastUsedTime: string | null;
  revokedTime: string | null;
}

export interface MadeKey {
  key: string;
  details: UserKey;
}

export interface Secret {
  name: string;
  keys: string[];
  createdTime: string;
  usedBy: string[];
}

export interface FieldChange {
  field: string;
  before: unknown;
  after: unknown;
}

export interface FileChange {
  path: string;
  change: "added" | "removed" | "changed" | "same";
  leftId: string | null;
  rightId: string | null;
}

export interface RunDiff {
  left: Execution;
  right: Execution;
  changes: FieldChange[];
  files: FileChange[];
}

export interface Model {
  name: string;
  provider: string;
  isScripted: boolean;
}

export interface Spending {
  capMicros: number | null;
  spentMicros: number;
  untilTime: string;
}

export type Me = Person & {
  spending?: Spending | null;
  expiresTime?: string | null;
  isExpiring?: boolean;
};

/** What became of a time of a schedule, or of several in a row that ended alike. */
export interface Receipt {
  scheduledTime: string;
  lastTime: string | null;
  count: number;
  outcome: string;
  message: string;
  time: string;
}

export type Scheduled = Agent & {
  schedule?: {
    paused?: { time: string; message: string } | null;
    recent?: Receipt[];
  } | null;
};
