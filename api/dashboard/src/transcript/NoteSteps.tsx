import { Icon, type IconName } from "../parts/icons";
import { Printed, PrintedLines } from "../parts/Printed";
import { bytes } from "../words/formats";
import { useWords } from "../words/words";
import type { ItemOf, Note } from "./items";
import { useOpened } from "./opened";
import classes from "./Steps.module.css";

export function BeginStep({ item }: { item: ItemOf<"begin"> }) {
  const { t } = useWords();
  return (
    <p className={classes.note}>
      <Icon name="play" size={15} />
      <span>{t("steps.begin", { model: item.model })}</span>
      <span className={classes.aside} title={item.tools.join(", ")}>
        {t("steps.tools", { count: item.tools.length })}
      </span>
    </p>
  );
}

const ICONS: Record<Note, IconName> = {
  resumed: "again",
  retry: "again",
  stalled: "alert",
  compacted: "file",
  lost: "alert",
  noResult: "alert",
  leftOut: "file",
  noFiles: "file",
  undelivered: "alert",
  said: "terminal",
};

export function NoteStep({ item }: { item: ItemOf<"note"> }) {
  const { t } = useWords();
  return (
    <p className={classes.note}>
      <Icon name={ICONS[item.note]} size={15} />
      <span>
        {t(`steps.${item.note}`)}
        {item.text && (
          <span className={classes.said}>
            <Printed text={item.text} />
          </span>
        )}
      </span>
    </p>
  );
}

/** Lines of a command, as a terminal would show them. */
export function OutputStep({ item }: { item: ItemOf<"output"> }) {
  const { t } = useWords();
  const label = item.stream === "stderr" ? t("steps.stderr") : t("steps.stdout");
  return (
    <div className={classes.console} data-stream={item.stream}>
      {!item.isContinued && <span className={classes.label}>{label}</span>}
      <pre className={classes.lines}>
        <PrintedLines lines={item.lines} />
      </pre>
    </div>
  );
}

/** An event that was too large for a transcript: how large, and on request how it began. */
export function CutStep({ item }: { item: ItemOf<"cut"> }) {
  const { t } = useWords();
  const [isOpen, setOpen] = useOpened(item.key);
  return (
    <div className={classes.cut}>
      <button
        type="button"
        className={classes.thought}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="file" size={15} />
        <span>
          {item.bytes === null ? t("steps.cut") : t("steps.cutOf", { size: bytes(item.bytes) })}
        </span>
      </button>
      {isOpen && (
        <pre className={classes.lines}>
          <Printed text={item.head} />
        </pre>
      )}
    </div>
  );
}

export function EndStep({ item }: { item: ItemOf<"end"> }) {
  const { t, name } = useWords();
  return (
    <p className={classes.note} data-end="">
      <Icon name="flag" size={15} />
      <span>
        {t("steps.end")}: <strong>{name("reason", item.reason)}</strong>
        {item.text && (
          <span className={classes.said}>
            <Printed text={item.text} />
          </span>
        )}
      </span>
    </p>
  );
}
