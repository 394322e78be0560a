import { useState } from "react";
import { useRun, useTranscript } from "../api/queries";
import type { Approval } from "../api/views";
import { lastSpeech } from "../lib/asks";
import { useWords } from "../words/words";
import classes from "./Approvals.module.css";
import { Exact } from "./Exact";

/** What the agent says about its ask: folded, and marked as its own word. */
export function AgentsWords({ ask, said }: { ask: Approval; said: string[] }) {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={classes.said} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("approvals.said")}</summary>
      <p>{t("approvals.saidDetail")}</p>
      {isOpen && <Words execution={ask.execution} said={said} />}
    </details>
  );
}

/** Approvers who may not see the run have what the ask itself holds. */
function Words({ execution, said }: { execution: string; said: string[] }) {
  const { t } = useWords();
  const attempts = useRun(execution).data?.attempts ?? [];
  const attempt =
    attempts.findLast((each) => each.reason === "AwaitingApproval") ?? attempts.at(-1);
  const items = useTranscript(execution, attempt?.number ?? 1).data?.timeline.items ?? [];
  const texts = [...said, lastSpeech(items)].filter(Boolean);
  if (texts.length === 0) return <p>{t("approvals.saidNothing")}</p>;
  return texts.map((text) => (
    <pre key={text} className={classes.text}>
      <Exact text={text} />
    </pre>
  ));
}
