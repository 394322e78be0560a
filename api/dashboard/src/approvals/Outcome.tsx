import { useMe } from "../api/queries";
import type { Approval } from "../api/views";
import { personOf } from "../lib/asks";
import { Section } from "../parts/Page";
import { Ago } from "../parts/Times";
import { useWords } from "../words/words";
import classes from "./Approvals.module.css";
import { Exact } from "./Exact";

/** Who decided so far, and what came of it. */
export function Outcome({ ask }: { ask: Approval }) {
  const { t } = useWords();
  return (
    <>
      {ask.decisions.length > 0 && (
        <Section title={t("approvals.decisions")}>
          <ul className={classes.decisions}>
            {ask.decisions.map((each) => (
              <Decision key={each.by} {...each} />
            ))}
          </ul>
        </Section>
      )}
      {ask.receipt && (
        <Section title={t("approvals.receipt")}>
          <p>{sourceOf(ask.receipt.source, t)}</p>
          {ask.receipt.text && (
            <pre className={classes.text}>
              <Exact text={ask.receipt.text} />
            </pre>
          )}
        </Section>
      )}
    </>
  );
}

function sourceOf(source: string, t: ReturnType<typeof useWords>["t"]): string {
  if (source === "Broker" || source === "Person") return t(`approvals.source.${source}`);
  return t("approvals.source.Pod");
}

function Decision({ by, decision, reason, time }: Approval["decisions"][number]) {
  const { t } = useWords();
  const me = useMe().data?.id;
  const isMine = me !== undefined && personOf(by) === me;
  return (
    <li>
      {isMine ? t("approvals.you") : <Exact text={by} />} · {t(`approvals.decision.${decision}`)}
      {time && (
        <>
          {" · "}
          <Ago time={time} />
        </>
      )}
      {reason && (
        <>
          {" · "}
          <Exact text={reason} />
        </>
      )}
    </li>
  );
}
