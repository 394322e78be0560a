import { agentOf, useAgents } from "../api/queries";
import type { Execution } from "../api/views";
import { RunRow } from "./RunList";
import classes from "./RunList.module.css";
import { type RowPlace, VirtualRows } from "./VirtualRows";

/** All runs of a list of any length: ten thousand are as quick as fifty. */
export function LongRunList({
  runs,
  label,
  memory,
}: {
  runs: Execution[];
  label: string;
  memory: string;
}) {
  const agents = useAgents().data;
  const draw = (run: Execution, { index, ref }: RowPlace) => (
    <li
      key={run.id}
      ref={ref}
      data-index={index}
      className={classes.item}
      aria-setsize={runs.length}
      aria-posinset={index + 1}
    >
      <RunRow run={run} agent={agentOf(run, agents)?.name ?? run.agent} />
    </li>
  );
  return (
    <VirtualRows
      className={classes.list}
      label={label}
      rows={runs}
      keyOf={keyOf}
      height={heightOf}
      memory={memory}
      draw={draw}
    />
  );
}

const keyOf = (run: Execution) => run.id;
const heightOf = () => 66;
