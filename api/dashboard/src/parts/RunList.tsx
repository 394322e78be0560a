import { memo } from "react";
import { Link } from "wouter";
import { agentOf, useAgents } from "../api/queries";
import type { Execution } from "../api/views";
import { visible } from "../lib/visible";
import { moneyOf } from "../words/formats";
import { useWords } from "../words/words";
import { Icon } from "./icons";
import { Phase } from "./Phase";
import classes from "./RunList.module.css";
import { Ago, Took } from "./Times";

interface Props {
  runs: Execution[];
  label: string;
}

/** Runs as rows, each one link. */
export function RunList({ runs, label }: Props) {
  const agents = useAgents().data;
  return (
    <ul className={classes.list} aria-label={label}>
      {runs.map((run) => (
        <li key={run.id} className={classes.item}>
          <RunRow run={run} agent={agentOf(run, agents)?.name ?? run.agent} />
        </li>
      ))}
    </ul>
  );
}

/** One run as a row that is a link. */
export const RunRow = memo(function RunRow({ run, agent }: { run: Execution; agent: string }) {
  const { t } = useWords();
  return (
    <Link href={`/executions/${run.id}`} className={classes.row}>
      <span className={classes.phase}>
        <Phase phase={run.phase} />
      </span>
      <span className={classes.what}>
        <span className={classes.agent}>
          {agent}
          {run.testOf && <span className={classes.test}>{t("runs.test")}</span>}
        </span>
        <span className={classes.why}>
          <Why run={run} />
        </span>
      </span>
      <span className={classes.cost}>
        <span className={classes.label}>{t("runs.cost")}</span>
        {moneyOf(run.costMicros, run.model)}
      </span>
      <span className={classes.took}>
        <span className={classes.label}>{t("runs.duration")}</span>
        <Took run={run} />
      </span>
      <span className={classes.started}>
        <span className={classes.label}>{t("runs.started")}</span>
        <Ago time={run.startTime ?? run.createdTime} />
      </span>
      <span className={classes.chevron}>
        <Icon name="chevron" size={16} />
      </span>
    </Link>
  );
});

/** The line that says most: its result, or why it has none. */
function Why({ run }: { run: Execution }) {
  const { name } = useWords();
  if (run.phase === "Succeeded") return glimpse(run.result ?? "") || name("reason", run.reason);
  const blocked = run.blockedBy[0];
  if (blocked) return name("reason", blocked.reason);
  return run.isFinished ? name("reason", run.reason) : run.name;
}

/** As much as a line of the list has room for. */
function glimpse(text: string): string {
  return visible(text.slice(0, 300));
}
