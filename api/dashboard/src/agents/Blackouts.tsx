import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { Icon } from "../parts/icons";
import { useWords } from "../words/words";
import type { Tree } from "./contents";
import { useExactFault, useFieldName, useForm, useRows } from "./form";
import { meaningOf, showValue } from "./kinds";
import classes from "./Variables.module.css";
import { instantOf, wallTime } from "./walls";

const PATH = "spec.schedule.blackouts";

/** Times in which no run of the schedule starts: once, or again and again. */
export function Blackouts({ zone }: { zone: string }) {
  const { isLocked } = useForm();
  const { t } = useWords();
  const name = useFieldName();
  const error = useExactFault(PATH);
  const { rows, put } = useRows(PATH);
  return (
    <fieldset className={classes.table}>
      <legend>{name(PATH)}</legend>
      <p className={classes.hint}>{t("blackouts.hint", { zone })}</p>
      {rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place
        <div key={at} className={classes.row} data-cells="3">
          {"cron" in row ? (
            <Recurring row={row} path={`${PATH}[${at}]`} put={(next) => put(rows.with(at, next))} />
          ) : (
            <Once
              row={row}
              path={`${PATH}[${at}]`}
              zone={zone}
              put={(next) => put(rows.with(at, next))}
            />
          )}
          <TextInput
            aria-label={t("blackouts.reason")}
            placeholder={t("blackouts.reason")}
            readOnly={isLocked}
            value={String(row.reason ?? "")}
            onChange={(event) =>
              put(rows.with(at, withCell(row, "reason", event.currentTarget.value)))
            }
          />
          {!isLocked && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              className={classes.remove}
              aria-label={t("agents.removeRow", { name: `${name(PATH)} ${at + 1}` })}
              onClick={() => put(rows.toSpliced(at, 1))}
            >
              <Icon name="cross" size={16} />
            </ActionIcon>
          )}
          <RowFault path={`${PATH}[${at}]`} />
        </div>
      ))}
      {error && <p className={classes.error}>{error}</p>}
      {!isLocked && (
        <div className={classes.adds}>
          <Button variant="default" size="xs" onClick={() => put([...rows, {}])}>
            {t("blackouts.addOnce")}
          </Button>
          <Button
            variant="default"
            size="xs"
            onClick={() => put([...rows, { cron: "0 22 * * 5", durationSeconds: 7200 }])}
          >
            {t("blackouts.addRecurring")}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

function withCell(row: Tree, name: string, value: unknown): Tree {
  const { [name]: _, ...rest } = row;
  return value === "" || value === undefined || value === null ? rest : { ...rest, [name]: value };
}

interface RowProps {
  row: Tree;
  path: string;
  put: (row: Tree) => void;
}

function Once({ row, path, zone, put }: RowProps & { zone: string }) {
  const { isLocked } = useForm();
  const { t } = useWords();
  const errors = {
    startTime: useExactFault(`${path}.startTime`),
    endTime: useExactFault(`${path}.endTime`),
  };
  return (["startTime", "endTime"] as const).map((cell) => (
    <TextInput
      key={cell}
      type="datetime-local"
      aria-label={t(`blackouts.at.${cell}`)}
      error={errors[cell]}
      readOnly={isLocked}
      value={wallTime(String(row[cell] ?? ""), zone)}
      onChange={(event) => put(withCell(row, cell, instantOf(event.currentTarget.value, zone)))}
    />
  ));
}

function Recurring({ row, path, put }: RowProps) {
  const { isLocked } = useForm();
  const { t } = useWords();
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <>
      <TextInput
        aria-label={t("blackouts.cron")}
        placeholder="0 22 * * 5"
        error={useExactFault(`${path}.cron`)}
        readOnly={isLocked}
        value={String(row.cron ?? "")}
        onChange={(event) => put({ ...row, cron: event.currentTarget.value })}
      />
      <TextInput
        aria-label={t("blackouts.duration")}
        error={useExactFault(`${path}.durationSeconds`)}
        readOnly={isLocked}
        rightSection={t("unit.minutes")}
        rightSectionWidth={74}
        rightSectionPointerEvents="none"
        value={typed ?? showValue("minutes", row.durationSeconds)}
        onBlur={() => setTyped(null)}
        onChange={(event) => {
          const text = event.currentTarget.value;
          const seconds = meaningOf("minutes", text);
          setTyped(text);
          if (typeof seconds === "number") put({ ...row, durationSeconds: seconds });
        }}
      />
    </>
  );
}

function RowFault({ path }: { path: string }) {
  const error = useExactFault(path);
  return error ? <p className={classes.error}>{error}</p> : null;
}
