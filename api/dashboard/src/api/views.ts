/** What the server says of agents, runs and reports: heliostat_api/views.py, in its own words. */

export interface Blocked {
  reason: string;
  message: string;
  estimatedTime: string | null;
}

export interface Attempt {
  number: number;
  startTime: string | null;
  endTime: string | null;
  reason: string | null;
  message: string;
  cause: string | null;
  costMicros: number;
}

export interface Usage {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

export interface Execution {
  id: string;
  namespace: string;
  name: string;
  agent: string;
  phase: string;
  reason: string;
  message: string;
  trigger: string;
  correlationId: string;
  createdTime: string;
  startTime: string | null;
  completionTime: string | null;
  durationSeconds: number | null;
  model: string | null;
  costMicros: number;
  usage: Usage;
  result: string | null;
  blockedBy: Blocked[];
  attempts: Attempt[];
  isFinished: boolean;
}

export interface Agent {
  id: string;
  namespace: string;
  name: string;
  description: string;
  model: string;
  status: "draft" | "active" | "inactive";
  managedBy: "dashboard" | "kubectl";
  isReady: boolean | null;
  readyMessage: string;
  activeExecutions: number;
  createdTime: string;
}

export interface Person {
  id: string;
  kind: "local" | "guest" | "user";
  isAdmin: boolean;
}

export interface Snapshot {
  cursor: number;
  time: string;
  person: Person;
  agents: Agent[];
  executions: Execution[];
}

export interface Deleted {
  id: string;
  namespace: string;
  name: string;
}

/** An event of a transcript: a stranger's JSON, read by transcript/events.ts. */
export type TranscriptEvent = Record<string, unknown>;

export interface Output {
  attempt: number;
  first: number;
  events: TranscriptEvent[];
}

export interface TranscriptPage extends Output {
  next: string | null;
}

interface ReportOf<Type extends string, Payload> {
  id: number;
  type: Type;
  correlationId: string;
  execution: string;
  time: string;
  payload: Payload;
}

export type Report =
  | ReportOf<"agent.changed", Agent>
  | ReportOf<"agent.deleted", Deleted>
  | ReportOf<"execution.changed", Execution>
  | ReportOf<"execution.deleted", Deleted>
  | ReportOf<"execution.output", Output>;

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** A command was taken; what comes of it arrives as reports. */
export interface Accepted {
  correlationId: string;
  execution?: string | null;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: { field: string; message: string }[];
}
