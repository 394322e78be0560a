import { Suspense } from "react";
import { fetched } from "../lib/fetched";
import classes from "./Steps.module.css";

const Markdown = fetched(() => import("./Markdown"));

/** What an agent says: Markdown, or the bare text until the reader of Markdown is here. */
export function Words({
  text,
  pictureOf,
}: {
  text: string;
  pictureOf?: (source: string) => string | null;
}) {
  return (
    <div className={classes.words}>
      <Suspense fallback={<p className={classes.bare}>{text}</p>}>
        <Markdown text={text} {...(pictureOf ? { pictureOf } : {})} />
      </Suspense>
    </div>
  );
}
