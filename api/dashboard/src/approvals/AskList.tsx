import { Link } from "wouter";
import type { Approval } from "../api/views";
import { Icon } from "../parts/icons";
import { Pill } from "../parts/Phase";
import { Ago } from "../parts/Times";
import { useWords } from "../words/words";
import classes from "./Approvals.module.css";
import { Exact } from "./Exact";

const TONES = {
  Pending: "warn",
  Granted: "busy",
  Claimed: "busy",
  Done: "good",
  Denied: "calm",
  Expired: "calm",
  Withdrawn: "calm",
  OutcomeUnknown: "bad",
} as const;

/** How far an ask is, as a word. */
export function AskState({ ask }: { ask: Approval }) {
  const { name } = useWords();
  const tone = Object.entries(TONES).find(([state]) => state === ask.state)?.[1] ?? "calm";
  return <Pill tone={tone}>{name("askState", ask.state)}</Pill>;
}

/** Asks as rows, each one link: what, where to, who asks. */
export function AskList({ asks, label }: { asks: Approval[]; label: string }) {
  return (
    <ul className={classes.list} aria-label={label}>
      {asks.map((ask) => (
        <li key={ask.id}>
          <AskRow ask={ask} />
        </li>
      ))}
    </ul>
  );
}

function AskRow({ ask }: { ask: Approval }) {
  const { name } = useWords();
  return (
    <Link href={`/approvals/${ask.id}`} className={classes.row}>
      <AskState ask={ask} />
      <span className={classes.what}>
        <span className={classes.name}>{name("askClass", ask.actionClass)}</span>
        {ask.target && (
          <code className={classes.target}>
            <Exact text={ask.target} />
          </code>
        )}
        <span className={classes.aside}>
          <Exact text={ask.agent} /> · <Ago time={ask.createdTime} />
        </span>
      </span>
      <Icon name="chevron" size={16} />
    </Link>
  );
}
