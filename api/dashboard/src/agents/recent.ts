/** The last runs of an agent, without asking for each: most are among the last runs of all. */
import { runsFilter, runsOf, useAgentRuns, useRuns } from "../api/queries";
import type { Agent, Execution } from "../api/views";
import { isWanted } from "../live/lists";

const SHOWN = 12;

export function useRecentRuns(agent: Agent): Execution[] {
  const all = runsOf(useRuns({}).data).filter(
    (run) => run.namespace === agent.namespace && isWanted(run, runsFilter(agent)),
  );
  const hasMore = all.length < SHOWN && (agent.totals?.executions ?? 0) > all.length;
  const own = useAgentRuns(agent, hasMore);
  return (own.data ? runsOf(own.data) : all).slice(0, SHOWN);
}

/** Costs of those that ended, oldest first. */
export function costsOf(runs: readonly Execution[]): number[] {
  return runs
    .filter((run) => run.isFinished)
    .map((run) => run.costMicros)
    .reverse();
}
