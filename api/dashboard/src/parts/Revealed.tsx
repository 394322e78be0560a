import { Button, CopyButton } from "@mantine/core";
import type { ReactNode } from "react";
import { useWords } from "../words/words";
import { Callout } from "./Callout";
import { Icon } from "./icons";
import classes from "./Revealed.module.css";

/** What is shown once and never again. */
export function Revealed({
  title,
  detail,
  value,
  copy,
  close,
  done,
  children,
}: {
  title: string;
  detail: string;
  value: string;
  copy: string;
  close: string;
  done: () => void;
  children?: ReactNode;
}) {
  return (
    <Callout tone="good" icon="check" title={title}>
      <p>{detail}</p>
      <code className={classes.value}>{value}</code>
      {children}
      <div className={classes.buttons}>
        <Copy text={value} label={copy} />
        <Button variant="default" onClick={done}>
          {close}
        </Button>
      </div>
    </Callout>
  );
}

/** A button that says for a moment that it did. */
export function Copy({
  text,
  label,
  variant = "filled",
}: {
  text: string;
  label: string;
  variant?: string;
}) {
  const { t } = useWords();
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button
          variant={variant}
          leftSection={<Icon name={copied ? "check" : "copy"} size={16} />}
          onClick={copy}
        >
          {copied ? t("app.copied") : label}
        </Button>
      )}
    </CopyButton>
  );
}
