import { useClipboard } from "@mantine/hooks";
import { useWords } from "../words/words";
import classes from "./Copied.module.css";
import { Icon } from "./icons";

/** An id that a person may need elsewhere. */
export function Copied({ text }: { text: string }) {
  const { t } = useWords();
  const clipboard = useClipboard();
  const label = clipboard.copied ? t("app.copied") : t("app.copy");
  return (
    <span className={classes.copied}>
      <code>{text}</code>
      <button
        type="button"
        aria-label={`${label}: ${text}`}
        title={label}
        onClick={() => clipboard.copy(text)}
      >
        <Icon name={clipboard.copied ? "check" : "copy"} size={14} />
      </button>
    </span>
  );
}
