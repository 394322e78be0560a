import type { ReactNode } from "react";
import classes from "./Facts.module.css";

/** Names and values in a band. */
export function Facts({ label, facts }: { label: string; facts: [string, ReactNode][] }) {
  return (
    <dl className={classes.facts} aria-label={label}>
      {facts.map(([name, value]) => (
        <div key={name} className={classes.fact}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
