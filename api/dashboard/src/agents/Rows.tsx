import { ActionIcon, Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon } from "../parts/icons";
import { useWords } from "../words/words";
import type { Tree } from "./contents";
import { useExactFault, useFieldName, useForm, useRows } from "./form";
import classes from "./Rows.module.css";

interface RowsProps {
  path: string;
  hint: string;
  /** What a new row may begin with, each with its button. */
  adds: readonly { label: string; blank: Tree }[];
  /** How many cells a row has, beside the button that takes it away. */
  width: (row: Tree) => number;
  /** What that button takes away. */
  called: (row: Tree, at: number) => string;
  children: (row: Tree, path: string, put: (next: Tree) => void) => ReactNode;
}

/** A list of the spec: a row for each entry, which can be added and taken away. */
export function Rows({ path, hint, adds, width, called, children }: RowsProps) {
  const { isLocked } = useForm();
  const { t } = useWords();
  const name = useFieldName();
  const { rows, put } = useRows(path);
  return (
    <fieldset className={classes.table}>
      <legend>{name(path)}</legend>
      <p className={classes.hint}>{hint}</p>
      {rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place
        <div key={at} className={classes.row} data-cells={width(row)}>
          {children(row, `${path}[${at}]`, (next) => put(rows.with(at, next)))}
          {!isLocked && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              className={classes.remove}
              aria-label={t("agents.removeRow", { name: called(row, at) })}
              onClick={() => put(rows.toSpliced(at, 1))}
            >
              <Icon name="cross" size={16} />
            </ActionIcon>
          )}
          <Fault path={`${path}[${at}]`} />
        </div>
      ))}
      <Fault path={path} />
      {!isLocked && (
        <div className={classes.adds}>
          {adds.map(({ label, blank }) => (
            <Button key={label} variant="default" size="xs" onClick={() => put([...rows, blank])}>
              {label}
            </Button>
          ))}
        </div>
      )}
    </fieldset>
  );
}

function Fault({ path }: { path: string }) {
  const error = useExactFault(path);
  return error ? <p className={classes.error}>{error}</p> : null;
}
