import { type ReactNode, useEffect } from "react";
import classes from "./Page.module.css";

/** The head of a page. Its title is the tab's, too. */
export function PageHead({
  title,
  detail,
  kind,
  tab,
  children,
}: {
  title: string;
  detail?: ReactNode;
  kind?: ReactNode;
  tab?: string;
  children?: ReactNode;
}) {
  useTitle(tab ?? title);
  return (
    <div className={classes.head}>
      <div className={classes.titles}>
        {kind && <div className={classes.kind}>{kind}</div>}
        <h1 className={classes.title}>{title}</h1>
        {detail && <div className={classes.detail}>{detail}</div>}
      </div>
      {children && <div className={classes.actions}>{children}</div>}
    </div>
  );
}

let unseen = 0;
let title = "";

function showTitle(): void {
  document.title = `${unseen > 0 ? `(${unseen}) ` : ""}${title ? `${title} · ` : ""}Heliostat`;
}

/** Failed runs that nobody looked at yet count in the tab's title, on every page. */
export function showUnseen(count: number): void {
  unseen = count;
  showTitle();
}

function useTitle(text: string): void {
  useEffect(() => {
    title = text;
    showTitle();
    return () => {
      title = "";
      showTitle();
    };
  }, [text]);
}

/** A part of a page with its heading. */
export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={classes.section} aria-label={title}>
      <div className={classes.sectionHead}>
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
