import { Icon, type IconName } from "../parts/icons";
import { useWords } from "../words/words";
import type { ItemOf, Note } from "./items";
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
  cut: "file",
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
        {item.text && <span className={classes.said}>{item.text}</span>}
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
      <span className={classes.label}>{label}</span>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard */}
      <pre className={classes.code} tabIndex={0}>
        {item.lines.join("\n")}
      </pre>
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
        {item.text && <span className={classes.said}>{item.text}</span>}
      </span>
    </p>
  );
}
