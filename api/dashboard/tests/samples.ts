import { readFileSync } from "node:fs";
import type { Agent, Execution, Report, Snapshot, TranscriptEvent } from "../src/api/views";

/** What Claude Code and the runner really wrote, in runs of the samples. */
export function transcriptOf(name: "hello" | "sales" | "hurried"): TranscriptEvent[] {
  const text = readFileSync(new URL(`./transcripts/${name}.jsonl`, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

export function run(id: string, change: Partial<Execution> = {}): Execution {
  return {
    id,
    namespace: "default",
    name: `hello-${id}`,
    agent: "hello",
    phase: "Running",
    reason: "Active",
    message: "",
    trigger: "Dashboard",
    correlationId: `dash-${id}`,
    createdTime: "2026-11-22T11:00:00Z",
    startTime: null,
    completionTime: null,
    durationSeconds: null,
    model: null,
    costMicros: 0,
    usage: {
      requests: 0,
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
    },
    result: null,
    blockedBy: [],
    attempts: [],
    isFinished: false,
    ...change,
  };
}

export function agent(id: string, change: Partial<Agent> = {}): Agent {
  return {
    id,
    namespace: "default",
    name: id,
    description: "",
    model: "scripted/hello",
    status: "active",
    managedBy: "dashboard",
    isReady: true,
    readyMessage: "",
    activeExecutions: 0,
    createdTime: "2026-11-22T10:00:00Z",
    resource: id,
    revision: 1,
    appliedRevision: 1,
    missing: [],
    drift: [],
    totals: {
      executions: 0,
      usage: {
        requests: 0,
        inputTokens: 0,
        outputTokens: 0,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
      },
      costMicros: 0,
    },
    ...change,
  };
}

export function snapshot(cursor: number, executions: Execution[] = []): Snapshot {
  return {
    cursor,
    time: "2026-11-22T11:00:00Z",
    person: { id: "local", kind: "local", isAdmin: true },
    agents: [],
    executions,
  };
}

export function changed(id: number, payload: Execution): Report {
  return {
    id,
    type: "execution.changed",
    correlationId: payload.correlationId,
    execution: payload.id,
    time: "2026-11-22T11:00:01Z",
    payload,
  };
}
