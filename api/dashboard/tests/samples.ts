import type {
  Agent,
  Approval,
  Execution,
  Report,
  Snapshot,
  TranscriptEvent,
} from "../src/api/views";
import hello from "./transcripts/hello.jsonl?raw";
import hurried from "./transcripts/hurried.jsonl?raw";
import sales from "./transcripts/sales.jsonl?raw";

const TRANSCRIPTS = { hello, sales, hurried };

/** What Claude Code and the runner really wrote, in runs of the samples. */
export function transcriptOf(name: keyof typeof TRANSCRIPTS): TranscriptEvent[] {
  return TRANSCRIPTS[name]
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
    isOwned: true,
    ...change,
  };
}

export function ask(id: string, change: Partial<Approval> = {}): Approval {
  return {
    id,
    namespace: "default",
    name: `hello-1-${id}`,
    execution: "run",
    executionName: "hello-run",
    agent: "hello",
    agentId: "agent-1",
    correlationId: "dash-run",
    requestedBy: "heliostat:local",
    state: "Pending",
    reason: "NobodyDecided",
    message: "",
    tool: "Bash",
    actionClass: "Send",
    target: "crm.example",
    digest: `sha256:${"a".repeat(64)}`,
    isComplete: true,
    facts: [],
    quorum: 1,
    counted: 0,
    requesterMayApprove: true,
    decisions: [],
    createdTime: "2026-11-22T11:00:00Z",
    expiresTime: "2026-11-23T11:00:00Z",
    decidedTime: null,
    claimedAttempt: null,
    receipt: null,
    costMicros: 1200,
    isOpen: true,
    approvers: false,
    isOwned: true,
    ...change,
  };
}

export function agent(id: string, change: Partial<Agent> = {}): Agent {
  return {
    id,
    namespace: "default",
    name: id,
    resource: id,
    description: "",
    model: "scripted/demo",
    status: "active",
    managedBy: "dashboard",
    isReady: true,
    readyMessage: "",
    readyReason: "",
    activeExecutions: 0,
    createdTime: "2026-11-01T00:00:00Z",
    revision: 1,
    appliedRevision: 1,
    missing: [],
    drift: [],
    schedule: null,
    nextTime: null,
    schedulePaused: null,
    scheduleMissed: [],
    totals: { executions: 0, costMicros: 0, usage: run("none").usage },
    isOwned: true,
    ...change,
  };
}

export function snapshot(cursor: number, executions: Execution[] = []): Snapshot {
  return {
    cursor,
    time: "2026-11-22T11:00:00Z",
    person: { id: "local", kind: "local", isAdmin: true, isExpiring: false },
    agents: [],
    executions,
    approvals: [],
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
