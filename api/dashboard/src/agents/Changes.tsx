import type { ReactNode } from "react";
import { useWords } from "../words/words";
import classes from "./Changes.module.css";
import { isTextField, KINDS } from "./fields";
import { useFieldName } from "./form";
import { showValue } from "./kinds";

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
  return (
    <ul className={classes.changes} aria-label={label}>
      {changes.map(({ field, before, after }) => (
        <li key={field}>
          <p className={classes.field} title={field}>
            {name(field)}
          </p>
          <div className={classes.sides}>
            <Side kind="before" label={t("changes.before")}>
              <Value field={field} value={before} />
            </Side>
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
  kind: "before" | "after";
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

/** A value as people type it; one of no known shape as JSON. */
export function Value({ field, value }: { field: string; value: unknown }) {
  const { t } = useWords();
  if (value === null || value === undefined || value === "") {
    return <span className={classes.absent}>{t("changes.absent")}</span>;
  }
  return <span className={classes.value}>{textOf(field, value)}</span>;
}

function textOf(field: string, value: unknown): string {
  const known = isTextField(field) ? showValue(KINDS[field], value) : "";
  if (known) return KINDS[field as keyof typeof KINDS] === "dollars" ? `$${known}` : known;
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) {
    return value.length > 0 ? value.join(", ") : "[]";
  }
  return typeof value === "object" ? JSON.stringify(value, null, 1) : String(value);
}
