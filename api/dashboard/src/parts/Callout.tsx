import type { ReactNode } from "react";
import classes from "./Callout.module.css";
import { Icon, type IconName } from "./icons";

/** What a person has to know before anything else on the page. */
export function Callout({
  tone,
  icon,
  title,
  children,
}: {
  tone: "bad" | "good" | "warn" | "calm";
  icon: IconName;
  title: string;
  children?: ReactNode;
}) {
  return (
    <section className={classes.callout} data-tone={tone} aria-label={title}>
      <Icon name={icon} size={20} />
      <div className={classes.text}>
        <h2>{title}</h2>
        {children}
      </div>
    </section>
  );
}
