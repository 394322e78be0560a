import { Button, type ButtonProps } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useWords } from "../words/words";
import classes from "./Confirm.module.css";

/** A button that asks before it does what cannot be undone. */
export function Confirm({
  label,
  ask,
  yes,
  no,
  button,
  isPending = false,
  icon,
  onYes,
}: {
  label: string;
  ask: string;
  yes: string;
  no?: string;
  button?: ButtonProps;
  isPending?: boolean;
  icon?: ReactNode;
  onYes: () => void;
}) {
  const { t } = useWords();
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <Button
        variant="default"
        leftSection={icon}
        loading={isPending}
        onClick={() => setAsking(true)}
        {...button}
      >
        {label}
      </Button>
    );
  }
  const send = () => {
    setAsking(false);
    onYes();
  };
  return (
    <Ask
      ask={ask}
      yes={yes}
      no={no ?? t("app.cancel")}
      button={button}
      onYes={send}
      onNo={() => setAsking(false)}
    />
  );
}

/** The question itself, of which one answer cannot be undone. */
export function Ask({
  ask,
  yes,
  no,
  button,
  isPending = false,
  onYes,
  onNo,
}: {
  ask: string;
  yes: string;
  no: string;
  button?: ButtonProps | undefined;
  isPending?: boolean;
  onYes: () => void;
  onNo: () => void;
}) {
  return (
    <fieldset className={classes.ask}>
      <legend>{ask}</legend>
      <Button
        {...button}
        variant="filled"
        color="red.8"
        autoContrast={false}
        loading={isPending}
        onClick={onYes}
        autoFocus
      >
        {yes}
      </Button>
      <Button {...button} variant="default" disabled={isPending} onClick={onNo}>
        {no}
      </Button>
    </fieldset>
  );
}
