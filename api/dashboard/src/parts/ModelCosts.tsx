import { useTranscript } from "../api/queries";
import type { Execution } from "../api/views";
import { costByModel } from "../transcript/models";
import { moneyOf } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./ModelCosts.module.css";
import { Section } from "./Page";

/** What the shown attempt cost, by model. */
export function ModelCosts({ run, attempt }: { run: Execution; attempt: number }) {
  const { t, amount } = useWords();
  const transcript = useTranscript(run.id, attempt).data;
  const total = run.attempts.find((each) => each.number === attempt)?.costMicros ?? run.costMicros;
  const costs = costByModel(transcript?.timeline.models ?? [], total);
  if (costs.length === 0) return null;
  return (
    <Section title={t("models.title")}>
      <ul className={classes.models}>
        {costs.map(({ model, costMicros, tokens }) => (
          <li key={model}>
            <div className={classes.line}>
              <code>{model}</code>
              <span>{moneyOf(costMicros, model)}</span>
            </div>
            <progress value={costMicros} max={Math.max(1, total)} aria-hidden="true" />
            <span className={classes.tokens}>{t("models.tokens", { count: amount(tokens) })}</span>
          </li>
        ))}
      </ul>
      {costs.length > 1 && <p className={classes.note}>{t("models.share")}</p>}
    </Section>
  );
}
