import type { ReactNode } from "react";
import { printJson } from "../lib/json";
import { useWords } from "../words/words";
import classes from "./Changes.module.css";
import { isTexts } from "./contents";
import { isTextField, KINDS } from "./fields";
import { useFieldName } from "./form";
import { type Kind, showValue } from "./kinds";

export interface Shown {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What differs, field by field. */
export function Changes({ changes, label }: { changes: readonly Shown[]; label: string }) {
  const { t } = useWords();
  const name = useFieldName();
  if (changes.length === 0) return <p className={classes.none}>{t("changes.none")}</p>;
  const isNew = changes.every(({ before }) => before === null || before === "");
  return (
    <ul className={classes.changes} aria-label={label}>
      {changes.map(({ field, before, after }) => (
        <li key={field}>
          <p className={classes.field} title={field}>
            {name(field)}
          </p>
          <div className={classes.sides}>
            {!isNew && (
              <Side kind="before" label={t("changes.before")}>
                <Value field={field} value={before} />
              </Side>
            )}
            <Side kind="after" label={t("changes.after")}>
              <Value field={field} value={after} />
            </Side>
          </div>
        </li>
      ))}
    </ul>
  );
}

export function Side({
  kind,
  label,
  children,
}: {
  kind: "before" | "after" | "other";
  label: string;
  children: ReactNode;
}) {
  return (
    <div className={classes.side} data-kind={kind}>
      <span className={classes.label}>{label}</span>
      {children}
    </div>
  );
}

/** A value as people say it; one of no known shape as JSON. */
export function Value({ field, value }: { field: string; value: unknown }) {
  const { t, duration } = useWords();
  if (value === null || value === undefined || value === "") {
    return <span className={classes.absent}>{t("changes.absent")}</span>;
  }
  const kind = isTextField(field) ? KINDS[field] : undefined;
  const isDuration = kind === "minutes" && typeof value === "number";
  return (
    <span className={classes.value}>{isDuration ? duration(value) : textOf(kind, value)}</span>
  );
}

function textOf(kind: Kind | undefined, value: unknown): string {
  const known = kind ? showValue(kind, value) : "";
  if (known) return kind === "dollars" ? `$${known}` : known;
  if (isTexts(value)) return value.length > 0 ? value.join(", ") : "[]";
  return typeof value === "object" ? printJson(value, 1) : String(value);
}
