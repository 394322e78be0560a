/** What a person should look at first: runs that failed, schedules that stand still or missed. */
import type { Agent, Execution, Receipt } from "../api/views";

interface Common {
  /** By which it is known to have been seen. */
  key: string;
  time: string;
}

export type News = Common &
  (
    | { kind: "failed"; run: Execution }
    | { kind: "paused"; agent: Agent; reason: string }
    | { kind: "missed"; agent: Agent; receipt: Receipt }
  );

/** The newest first. */
export function newsOf(runs: readonly Execution[], agents: readonly Agent[]): News[] {
  const news = [...runs.flatMap(failureOf), ...agents.flatMap(scheduleNews)];
  return news.sort((one, other) => Date.parse(other.time) - Date.parse(one.time));
}

function failureOf(run: Execution): News[] {
  if (run.phase !== "Failed" || run.testOf) return []; // who tests is looking
  return [{ kind: "failed", key: run.id, time: run.completionTime ?? run.createdTime, run }];
}

function scheduleNews(agent: Agent): News[] {
  const missed = (agent.scheduleMissed ?? []).map((receipt): News => {
    const { time, lastTime, scheduledTime } = receipt;
    // Misses in a row share a receipt, which grows: each is news.
    const key = `${agent.id}@${lastTime ?? scheduledTime}`;
    return { kind: "missed", key, time, agent, receipt };
  });
  if (!agent.schedulePaused) return missed;
  const { time, reason } = agent.schedulePaused;
  return [{ kind: "paused", key: `${agent.id}!${time}`, time, agent, reason }, ...missed];
}
