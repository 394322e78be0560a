import { Suspense } from "react";
import { fetched } from "../lib/fetched";
import { visible } from "../lib/visible";
import { Printed } from "../parts/Printed";
import classes from "./Steps.module.css";

const Markdown = fetched(() => import("./Markdown"));

/** Longer texts are drawn as they are: to read Markdown of megabytes takes seconds. */
const MARKDOWN_MOST = 100_000;

/** What an agent says: Markdown, or the bare text until the reader of Markdown is here. */
export function Words({
  text,
  pictureOf,
}: {
  text: string;
  pictureOf?: (source: string) => string | null;
}) {
  if (text.length > MARKDOWN_MOST) {
    return (
      <p className={`${classes.words} ${classes.bare}`}>
        <Printed text={text} />
      </p>
    );
  }
  return (
    <div className={classes.words}>
      <Suspense fallback={<p className={classes.bare}>{visible(text)}</p>}>
        <Markdown text={text} {...(pictureOf ? { pictureOf } : {})} />
      </Suspense>
    </div>
  );
}
