/** The last runs of an agent, without asking for each: most are among the last runs of all. */
import { resourceOf, runsOf, useRuns } from "../api/queries";
import type { Agent, Execution } from "../api/views";

const SHOWN = 12;

export function useRecentRuns(agent: Agent): Execution[] {
  const resource = resourceOf(agent);
  const all = runsOf(useRuns({}).data).filter((run) => run.agent === resource);
  const hasMore = all.length < SHOWN && (agent.totals?.executions ?? 0) > all.length;
  const own = useRuns({ agent: resource }, hasMore && agent.status !== "draft");
  return (own.data ? runsOf(own.data) : all).slice(0, SHOWN);
}

/** Costs of those that ended, oldest first. */
export function costsOf(runs: readonly Execution[]): number[] {
  return runs
    .filter((run) => run.isFinished)
    .map((run) => run.costMicros)
    .reverse();
}
