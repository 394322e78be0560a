import type { ReactNode } from "react";
import type { FieldChange, Preview } from "../api/views";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./AgentCard.module.css";

export function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.row}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Without these nobody can activate it. */
export function Faults({ preview }: { preview: Preview }) {
  const { t } = useWords();
  return (
    <>
      {preview.missing.length > 0 && (
        <Row name={t("card.missing")}>
          <Names names={preview.missing} tone="warn" />
        </Row>
      )}
      {preview.errors.length > 0 && (
        <Row name={t("card.wrong")}>
          {preview.errors.map(({ field, message }) => (
            <p key={field}>
              <code>{field}</code>: {message}
            </p>
          ))}
        </Row>
      )}
    </>
  );
}

/** From its own history; what it has not is said. */
export function Cost({ preview }: { preview: Preview }) {
  const { t } = useWords();
  const { averageMicros, highestMicros, limitMicros } = preview.cost;
  const month = preview.month ?? null;
  const hasHistory = averageMicros !== null && highestMicros !== null;
  return (
    <Row name={t("card.cost")}>
      <p>
        {hasHistory
          ? t("card.average", { average: money(averageMicros), highest: money(highestMicros) })
          : t("card.noHistory")}
      </p>
      {month !== null && month.costMicros !== null && (
        <p>{t("card.month", { count: month.starts, cost: money(month.costMicros) })}</p>
      )}
      {limitMicros !== null && (
        <p className={classes.muted}>{t("card.limit", { limit: money(limitMicros) })}</p>
      )}
    </Row>
  );
}

export function Touches({ touches }: { touches: NonNullable<Preview["touches"]> }) {
  const { t } = useWords();
  const hosts = touches.hosts.map((host) => (host === "*" ? t("card.anywhere") : host));
  const secrets = touches.secrets.map(({ name, key }) => `${name}/${key}`);
  return (
    <>
      <Row name={t("card.tools")}>
        <Names names={touches.tools} />
      </Row>
      <Row name={t("card.hosts")}>
        <Names names={hosts} />
      </Row>
      <Row name={t("card.secrets")}>
        <Names names={secrets} />
      </Row>
    </>
  );
}

function Names({ names, tone = "calm" }: { names: readonly string[]; tone?: "calm" | "warn" }) {
  const { t } = useWords();
  if (names.length === 0) return <span className={classes.muted}>{t("card.nothing")}</span>;
  return (
    <span className={classes.names}>
      {names.map((name) => (
        <code key={name} data-tone={tone}>
          {name}
        </code>
      ))}
    </span>
  );
}

const LONGEST = 160;

/** What differs from what is active now. */
export function Changes({ changes }: { changes: readonly FieldChange[] }) {
  const { t } = useWords();
  return (
    <Row name={t("card.changes")}>
      {changes.length === 0 && <span className={classes.muted}>{t("card.noChanges")}</span>}
      <ul className={classes.changes}>
        {changes.map(({ field, before, after }) => (
          <li key={field}>
            <code>{field}</code>{" "}
            {before === null ? t("card.new") : after === null ? t("card.gone") : ""}
            {before !== null && <del>{shown(before)}</del>}
            {after !== null && <ins>{shown(after)}</ins>}
          </li>
        ))}
      </ul>
    </Row>
  );
}

function shown(value: FieldChange["before"]): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
