import { useWords } from "../words/words";
import { Printed } from "./Printed";
import classes from "./SystemWords.module.css";

/**
 * What the platform itself said: English, with its own names of fields and programs. The page says
 * the reason in the person's language; who looks closer unfolds this.
 */
export function SystemWords({ text, isOpen = false }: { text: string; isOpen?: boolean }) {
  const { t } = useWords();
  if (!text) return null;
  return (
    <details className={classes.words} open={isOpen}>
      <summary>{t("app.systemWords")}</summary>
      <p lang="en">
        <Printed text={text} />
      </p>
    </details>
  );
}
