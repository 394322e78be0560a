import type { Agent, Approval, Execution, Person, Report, Snapshot } from "../api/views";

/** How many ended runs are kept beside those that go on. */
export const ENDED_KEPT = 50;

/** What the stream has said so far: bounded, as a snapshot is. */
export interface World {
  readonly cursor: number;
  readonly time: string;
  readonly person: Person;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly executions: ReadonlyMap<string, Execution>;
  /** Those of which it is not known yet what becomes of them. */
  readonly approvals: ReadonlyMap<string, Approval>;
}

export function fromSnapshot(snapshot: Snapshot): World {
  return {
    cursor: snapshot.cursor,
    time: snapshot.time,
    person: snapshot.person,
    agents: new Map(snapshot.agents.map((agent) => [agent.id, agent])),
    executions: new Map(snapshot.executions.map((run) => [run.id, run])),
    approvals: new Map(snapshot.approvals?.map((ask) => [ask.id, ask])),
  };
}

/** A snapshot for whoever joins late. */
export function toSnapshot(world: World): Snapshot {
  return {
    cursor: world.cursor,
    time: world.time,
    person: world.person,
    agents: [...world.agents.values()],
    executions: [...world.executions.values()],
    approvals: [...world.approvals.values()],
  };
}

/** The world after a report; the same object when the report was already heard. */
export function afterReport(world: World, report: Report): World {
  if (report.id <= world.cursor) return world;
  const heard = { ...world, cursor: report.id, time: report.time };
  switch (report.type) {
    case "agent.changed":
      return { ...heard, agents: withItem(world.agents, report.payload) };
    case "agent.deleted":
      return { ...heard, agents: without(world.agents, report.payload.id) };
    case "execution.changed":
      return { ...heard, executions: bounded(withItem(world.executions, report.payload)) };
    case "approval.asked":
    case "approval.decided":
    case "approval.executed":
    case "approval.outcome_unknown":
      return { ...heard, approvals: withAsk(world.approvals, report.payload) };
    default:
      return heard;
  }
}

/** What has not ended, newest first. */
export function liveRuns(world: World): Execution[] {
  return [...world.executions.values()]
    .filter((run) => !run.isFinished)
    .sort((one, other) => other.createdTime.localeCompare(one.createdTime));
}

/** What a person can do something about: to decide, or to find out what happened. The most urgent first. */
export function waitingAsks(world: World | null): Approval[] {
  return [...(world?.approvals.values() ?? [])]
    .filter((ask) => ask.state === "Pending" || ask.state === "OutcomeUnknown")
    .sort((one, other) => one.expiresTime.localeCompare(other.expiresTime));
}

function withAsk(asks: ReadonlyMap<string, Approval>, ask: Approval) {
  return ask.isOpen ? withItem(asks, ask) : without(asks, ask.id);
}

function withItem<Item extends { id: string }>(items: ReadonlyMap<string, Item>, item: Item) {
  return new Map(items).set(item.id, item);
}

function without<Item>(items: ReadonlyMap<string, Item>, id: string) {
  const rest = new Map(items);
  rest.delete(id);
  return rest;
}

function bounded(runs: Map<string, Execution>): Map<string, Execution> {
  const ended = [...runs.values()].filter((run) => run.isFinished);
  if (ended.length <= ENDED_KEPT) return runs;
  ended.sort((one, other) => other.createdTime.localeCompare(one.createdTime));
  for (const run of ended.slice(ENDED_KEPT)) runs.delete(run.id);
  return runs;
}
