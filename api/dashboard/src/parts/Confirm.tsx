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
    <fieldset className={classes.ask}>
      <legend>{ask}</legend>
      <Button
        {...button}
        variant="filled"
        color="red.8"
        autoContrast={false}
        onClick={send}
        autoFocus
      >
        {yes}
      </Button>
      <Button {...button} variant="default" onClick={() => setAsking(false)}>
        {no ?? t("app.cancel")}
      </Button>
    </fieldset>
  );
}
