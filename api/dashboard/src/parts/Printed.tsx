import { memo, useState } from "react";
import { type Span, spansOf } from "../lib/printed";
import { useWords } from "../words/words";
import classes from "./Printed.module.css";

/** Of one text, and of one line, so many letters are drawn before somebody asks for more. */
const TEXT_MOST = 20_000;
const LINE_MOST = 2_000;
const TIMES_MORE = 10;

/** A text that a program printed or an agent wrote, as it is; of a huge one the beginning. */
export const Printed = memo(function Printed({
  text,
  most = TEXT_MOST,
}: {
  text: string;
  most?: number;
}) {
  const { t, amount } = useWords();
  const [shown, setShown] = useState(most);
  const rest = text.length - shown;
  return (
    <>
      <Spans spans={spansOf(rest > 0 ? text.slice(0, shown) : text)} />
      {rest > 0 && (
        <button type="button" className={classes.more} onClick={() => setShown(shown * TIMES_MORE)}>
          {t("text.more", { count: amount(rest) })}
        </button>
      )}
    </>
  );
});

/** Lines of one stream. A line of megabytes is not the page's to lay out. */
export const PrintedLines = memo(function PrintedLines({ lines }: { lines: readonly string[] }) {
  if (lines.every((line) => line.length <= LINE_MOST)) {
    return <Spans spans={spansOf(lines.join("\n"))} />;
  }
  return lines.map((line, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines are never moved
    <span key={at} className={classes.line}>
      <Printed text={line} most={LINE_MOST} />
      {"\n"}
    </span>
  ));
});

function Spans({ spans }: { spans: readonly Span[] }) {
  return spans.map((span, at) => {
    const isPlain =
      !span.tone && !span.isBold && !span.isDim && !span.isItalic && !span.isUnderlined;
    if (isPlain && !span.isMarked) return span.text;
    return (
      <span
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other name
        key={at}
        className={classes.span}
        data-tone={span.tone ?? undefined}
        data-bold={span.isBold || undefined}
        data-dim={span.isDim || undefined}
        data-italic={span.isItalic || undefined}
        data-underlined={span.isUnderlined || undefined}
        data-marked={span.isMarked || undefined}
      >
        {span.text}
      </span>
    );
  });
}
