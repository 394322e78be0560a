/** Shapes of endpoints whose schema is not in api/openapi.json yet. */
import type { Person } from "./views";

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
  forecast: { monthCostMicros: number; lowMicros: number; highMicros: number; text: string } | null;
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

export interface Model {
  name: string;
  provider: string;
  isScripted: boolean;
}

export interface Spending {
  capMicros: number | null;
  spentMicros: number;
  untilTime: string | null;
  reached: "own" | "guests" | null;
}

export type Me = Person & { spending?: Spending | null };
