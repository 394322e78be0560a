import type { Preview } from "../api/views";
import { Icon } from "../parts/icons";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import { useFieldName } from "./form";
import classes from "./Outlook.module.css";

/** What a run, and a month of its schedule, may cost, from the agent's own history. */
export function Cost({ preview: { cost, month } }: { preview: Preview }) {
  const { t } = useWords();
  const { executions, averageMicros, highestMicros, limitMicros } = cost;
  return (
    <div className={classes.part}>
      <h3>{t("outlook.cost")}</h3>
      <p>
        {averageMicros === null || highestMicros === null
          ? t("outlook.noHistory")
          : t("outlook.history", {
              count: executions,
              average: money(averageMicros),
              highest: money(highestMicros),
            })}
      </p>
      {limitMicros !== null && <p>{t("outlook.limit", { limit: money(limitMicros) })}</p>}
      {month && (
        <p>
          {month.costMicros === null
            ? t("outlook.monthStarts", { count: month.starts })
            : t("outlook.month", { count: month.starts, cost: money(month.costMicros) })}
        </p>
      )}
    </div>
  );
}

/** Tools, hosts and Secrets that it may touch. */
export function Touches({ touches }: { touches: NonNullable<Preview["touches"]> }) {
  const { t } = useWords();
  const hosts = touches.hosts.map((host) => (host === "*" ? t("outlook.anyHost") : host));
  const secrets = touches.secrets.map(({ name, key, envName }) => `${name}/${key} → ${envName}`);
  return (
    <div className={classes.part}>
      <h3>{t("outlook.touches")}</h3>
      <dl>
        <Row name={t("outlook.tools")} items={touches.tools} />
        {touches.denied.length > 0 && <Row name={t("outlook.denied")} items={touches.denied} />}
        <Row name={t("outlook.hosts")} items={hosts} />
        <Row name={t("outlook.secrets")} items={secrets} />
        <Row name={t("outlook.red")} items={touches.redActions} />
      </dl>
      {touches.redActions.length > 0 && <p>{t("outlook.redDetail")}</p>}
    </div>
  );
}

function Row({ name, items }: { name: string; items: readonly string[] }) {
  const { t } = useWords();
  return (
    <div className={classes.row}>
      <dt>{name}</dt>
      <dd>{items.length > 0 ? items.join(", ") : t("outlook.nothing")}</dd>
    </div>
  );
}

/** What is allowed and yet may not be meant. */
export function Warnings({ warnings }: { warnings: Preview["warnings"] }) {
  const { t } = useWords();
  const name = useFieldName();
  if (warnings.length === 0) return null;
  return (
    <ul className={classes.warnings} aria-label={t("outlook.warnings")}>
      {warnings.map(({ field, message }) => (
        <li key={`${field} ${message}`}>
          <Icon name="alert" size={17} />
          <span>
            <b>{name(field)}</b>: {message}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What there is to do before it can be activated. */
export function Missing({ missing }: { missing: readonly string[] }) {
  const { t } = useWords();
  const name = useFieldName();
  if (missing.length === 0) return null;
  return (
    <div className={classes.missing}>
      <Icon name="hand" size={17} />
      <p>{t("outlook.missing", { fields: missing.map(name).join(", ") })}</p>
    </div>
  );
}
