/** The last runs of an agent, without asking for each: most are among the last runs of all. */
import { runsOf, useRuns } from "../api/queries";
import type { Agent, Execution } from "../api/views";

const SHOWN = 12;

export function useRecentRuns(agent: Agent): Execution[] {
  const { resource, namespace } = agent;
  // A draft has no resource yet, and somebody else's may be called as it is.
  const ownOf = (runs: readonly Execution[]) =>
    runs.filter((run) => resource !== "" && run.agent === resource && run.namespace === namespace);
  const all = ownOf(runsOf(useRuns({}).data));
  const hasMore = all.length < SHOWN && (agent.totals?.executions ?? 0) > all.length;
  const own = useRuns({ agent: resource }, hasMore && resource !== "");
  return (own.data ? ownOf(runsOf(own.data)) : all).slice(0, SHOWN);
}

/** Costs of those that ended, oldest first. */
export function costsOf(runs: readonly Execution[]): number[] {
  return runs
    .filter((run) => run.isFinished)
    .map((run) => run.costMicros)
    .reverse();
}
