/** Reports change what was read: every list and page that holds the thing. */
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type {
  Agent,
  AgentDetail,
  Approval,
  Conversation,
  Execution,
  Output,
  Page,
  Pieces,
  Report,
  Snapshot,
} from "../api/views";
import { afterOutput, afterPieces, endOf, type Transcript } from "../transcript/transcript";
import { type AskFilter, type Filter, isWanted, isWantedAsk, place } from "./lists";
import { Overlay } from "./overlay";
import { throttled } from "./throttle";

export type AskPages = InfiniteData<Page<Approval>, string | null>;
export type RunPages = InfiniteData<Page<Execution>, string | null>;

export const keys = {
  me: ["me"] as const,
  agents: ["agents"] as const,
  agent: (id: string) => ["agent", id] as const,
  agentDetail: (id: string) => ["agentDetail", id] as const,
  revisions: (id: string) => ["revisions", id] as const,
  runs: (filter: Filter) => ["executions", filter] as const,
  runCounts: ["runCounts"] as const,
  run: (id: string) => ["execution", id] as const,
  asks: (filter: AskFilter) => ["approvals", filter] as const,
  ask: (id: string) => ["approval", id] as const,
  transcript: (id: string, attempt: number) => ["transcript", id, attempt] as const,
  files: (id: string) => ["files", id] as const,
  conversations: ["conversations"] as const,
  secrets: ["secrets"] as const,
  triggers: (agent: string) => ["triggers", agent] as const,
  webhooks: (agent: string | null) => ["webhooks", agent] as const,
  deliveries: (webhook: string) => ["deliveries", webhook] as const,
};

/** What was heard while a read was on its way. */
export const heardRuns = new Overlay<Execution>();
export const heardAsks = new Overlay<Approval>();
export const heardAgents = new Overlay<Agent>();
export const heardConversations = new Overlay<Conversation>();

const heardOutput = new Map<string, number>();
const OUTPUTS_KEPT = 200;

/** The first event of an attempt that no report told of yet; 0 when none did. */
export function heardUpTo(id: string, attempt: number): number {
  return heardOutput.get(`${id}/${attempt}`) ?? 0;
}

export function applySnapshot(client: QueryClient, snapshot: Snapshot, isFirst: boolean): void {
  for (const agent of snapshot.agents) client.setQueryData(keys.agent(agent.id), agent);
  for (const run of snapshot.executions) client.setQueryData(keys.run(run.id), run);
  // After a gap nobody knows what else has changed. The first one is as old as the reads.
  if (!isFirst) void client.invalidateQueries();
}

export function applyReport(client: QueryClient, report: Report): void {
  switch (report.type) {
    case "agent.changed":
      changeAgent(client, report.payload.id, report.payload);
      break;
    case "agent.deleted":
      changeAgent(client, report.payload.id, null);
      break;
    case "execution.changed":
      changeRun(client, report.payload);
      break;
    case "approval.asked":
    case "approval.decided":
    case "approval.executed":
    case "approval.outcome_unknown":
      changeAsk(client, report.payload);
      break;
    case "execution.output":
      appendOutput(client, report.execution, report.payload);
      break;
    case "conversation.changed":
      changeConversation(client, report.payload.id, report.payload);
      break;
    case "conversation.deleted":
      changeConversation(client, report.payload.id, null);
      break;
    case "execution.pieces":
      showPieces(client, report.execution, report.payload);
      break;
    case "things.changed":
      void client.invalidateQueries({ queryKey: [report.payload.what] });
      break;
  }
}

function changeAgent(client: QueryClient, id: string, agent: Agent | null): void {
  heardAgents.note(id, agent);
  if (agent) client.setQueryData(keys.agent(id), agent);
  else forgetAgent(client, id);
  if (agent) rereadDetail(client, agent);
  client.setQueryData<Agent[]>(keys.agents, (agents) => agents && placeAgent(agents, id, agent));
}

/** A page that shows it reads again, and is told that it is gone. */
function forgetAgent(client: QueryClient, id: string): void {
  void client.resetQueries({ queryKey: keys.agent(id) });
  void client.resetQueries({ queryKey: keys.agentDetail(id) });
}

/** Reports have no spec: it is read again when it may be another one. */
function rereadDetail(client: QueryClient, agent: Agent): void {
  const known = client.getQueryData<AgentDetail>(keys.agentDetail(agent.id));
  const isKnown =
    agent.managedBy === "dashboard" &&
    known?.revision === agent.revision &&
    known?.status === agent.status &&
    known?.nextTime === agent.nextTime &&
    known?.resource === agent.resource;
  if (isKnown) return;
  void client.invalidateQueries({ queryKey: keys.agentDetail(agent.id) });
  void client.invalidateQueries({ queryKey: keys.revisions(agent.id) });
}

export function placeAgent(agents: Agent[], id: string, agent: Agent | null): Agent[] {
  if (!agent) return agents.filter((each) => each.id !== id);
  const isThere = agents.some((each) => each.id === id);
  return isThere ? agents.map((each) => (each.id === id ? agent : each)) : [agent, ...agents];
}

function changeConversation(client: QueryClient, id: string, talk: Conversation | null): void {
  heardConversations.note(id, talk);
  client.setQueryData<Conversation[]>(
    keys.conversations,
    (talks) => talks && placeConversation(talks, id, talk),
  );
}

/** The one that was changed last stands first. */
export function placeConversation(
  talks: Conversation[],
  id: string,
  talk: Conversation | null,
): Conversation[] {
  const others = talks.filter((each) => each.id !== id);
  if (!talk) return others;
  const at = others.findIndex((each) => each.changedTime <= talk.changedTime);
  return others.toSpliced(at < 0 ? others.length : at, 0, talk);
}

const COUNT_MS = 1000;
const recounts = new WeakMap<QueryClient, () => void>();

/** A queue that moves reports more often than it is worth to count. */
function recount(client: QueryClient): void {
  let count = recounts.get(client);
  if (!count) {
    const ask = () => void client.invalidateQueries({ queryKey: keys.runCounts });
    count = throttled(ask, COUNT_MS);
    recounts.set(client, count);
  }
  count();
}

function changeRun(client: QueryClient, run: Execution): void {
  recount(client);
  heardRuns.note(run.id, run);
  client.setQueryData(keys.run(run.id), run);
  mapLists(client, (pages, filter) => place(pages, run, isWanted(run, filter)));
}

function changeAsk(client: QueryClient, ask: Approval): void {
  heardAsks.note(ask.id, ask);
  client.setQueryData<Approval>(keys.ask(ask.id), (known) => known && withFacts(ask, known));
  for (const { queryKey } of client.getQueryCache().findAll({ queryKey: ["approvals"] })) {
    const filter = filterOf<AskFilter>(queryKey);
    client.setQueryData<AskPages>(
      queryKey,
      (data) => data && { ...data, pages: place(data.pages, ask, isWantedAsk(ask, filter)) },
    );
  }
}

/** What was asked never changes, and reports cut it: it stays as it was read whole. */
export function withFacts(ask: Approval, known: Approval): Approval {
  return { ...ask, facts: known.facts };
}

function mapLists(
  client: QueryClient,
  change: (pages: Page<Execution>[], filter: Filter) => Page<Execution>[],
): void {
  for (const query of client.getQueryCache().findAll({ queryKey: ["executions"] })) {
    const filter = filterOf(query.queryKey);
    client.setQueryData<RunPages>(query.queryKey, (data) =>
      data ? { ...data, pages: change(data.pages, filter) } : data,
    );
  }
}

function filterOf<Wanted extends object = Filter>(key: readonly unknown[]): Partial<Wanted> {
  const filter = key[1];
  return typeof filter === "object" && filter !== null ? filter : {};
}

/** A transcript that is open grows; one that has a hole is read again. */
function appendOutput(client: QueryClient, id: string, output: Output): void {
  noteOutput(`${id}/${output.attempt}`, endOf(output));
  const key = keys.transcript(id, output.attempt);
  const transcript = client.getQueryData<Transcript>(key);
  const after = transcript && afterOutput(transcript, output);
  if (after) client.setQueryData(key, after);
  else if (client.getQueryState(key)) void client.invalidateQueries({ queryKey: key });
}

/** An answer while it comes; the whole one follows as output. */
function showPieces(client: QueryClient, id: string, pieces: Pieces): void {
  const key = keys.transcript(id, pieces.attempt);
  client.setQueryData<Transcript>(
    key,
    (transcript) => transcript && afterPieces(transcript, pieces),
  );
}

function noteOutput(name: string, end: number): void {
  const before = heardOutput.get(name) ?? 0;
  heardOutput.delete(name);
  heardOutput.set(name, Math.max(before, end));
  const oldest = heardOutput.size > OUTPUTS_KEPT ? heardOutput.keys().next().value : undefined;
  if (oldest !== undefined) heardOutput.delete(oldest);
}
