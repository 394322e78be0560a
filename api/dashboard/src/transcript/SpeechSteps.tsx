import { visible } from "../lib/visible";
import { Icon } from "../parts/icons";
import { Printed } from "../parts/Printed";
import { useWords } from "../words/words";
import type { ItemOf } from "./items";
import { useOpened } from "./opened";
import classes from "./Steps.module.css";
import { Words } from "./Words";

export function TextStep({ item }: { item: ItemOf<"text"> }) {
  if (!item.isStreaming) return <Words text={item.text} />;
  return (
    <p className={classes.streaming} aria-busy="true">
      {visible(item.text)}
      <span className={classes.caret} aria-hidden="true" />
    </p>
  );
}

const GLIMPSE = 300;

/** Thoughts are long and for the curious: closed, with their beginning in sight. */
export function ThinkingStep({ item }: { item: ItemOf<"thinking"> }) {
  const { t } = useWords();
  const [isOpen, setOpen] = useOpened(item.key);
  return (
    <div className={classes.thinking}>
      <button
        type="button"
        className={classes.thought}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="thought" size={16} />
        <span>{t("steps.thinking")}</span>
        {!isOpen && <span className={classes.glimpse}>{visible(item.text.slice(0, GLIMPSE))}</span>}
      </button>
      {isOpen && (
        <p className={classes.bare}>
          <Printed text={item.text} />
        </p>
      )}
    </div>
  );
}

export function ResultStep({ item, isGood }: { item: ItemOf<"result">; isGood: boolean }) {
  const { t, shortDuration } = useWords();
  const facts = [
    item.turns === null ? "" : t("steps.turns", { count: item.turns }),
    item.ms === null ? "" : shortDuration(item.ms),
  ];
  return (
    <Answer
      text={item.text}
      isError={item.isError}
      isGood={isGood}
      aside={facts.filter(Boolean).join(" · ")}
    />
  );
}

export function Answer({
  text,
  isError,
  isGood,
  aside,
}: {
  text: string;
  isError: boolean;
  isGood: boolean;
  aside: string;
}) {
  const { t } = useWords();
  return (
    <section className={classes.result} data-tone={isError ? "bad" : isGood ? "good" : "calm"}>
      <div className={classes.resultHead}>
        <Icon name={isError ? "cross" : isGood ? "check" : "flag"} size={18} />
        <h3>{isError ? t("steps.resultError") : t("steps.result")}</h3>
        <span className={classes.aside}>{aside}</span>
      </div>
      {text && <Words text={text} />}
    </section>
  );
}
