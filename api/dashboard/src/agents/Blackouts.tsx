import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useWords } from "../words/words";
import type { Tree } from "./contents";
import { useExactFault, useFieldName, useForm } from "./form";
import { meaningOf, showValue } from "./kinds";
import { Rows } from "./Rows";
import { instantOf, wallTime } from "./walls";

const PATH = "spec.schedule.blackouts";

/** Times in which no run of the schedule starts: once, or again and again. */
export function Blackouts({ zone }: { zone: string }) {
  const { isLocked } = useForm();
  const { t } = useWords();
  const name = useFieldName();
  return (
    <Rows
      path={PATH}
      hint={t("blackouts.hint", { zone })}
      adds={[
        { label: t("blackouts.addOnce"), blank: {} },
        {
          label: t("blackouts.addRecurring"),
          blank: { cron: "0 22 * * 5", durationSeconds: 7200 },
        },
      ]}
      width={() => 3}
      called={(_, at) => `${name(PATH)} ${at + 1}`}
    >
      {(row, path, put) => (
        <>
          {"cron" in row ? (
            <Recurring row={row} path={path} put={put} />
          ) : (
            <Once row={row} path={path} zone={zone} put={put} />
          )}
          <TextInput
            aria-label={t("blackouts.reason")}
            placeholder={t("blackouts.reason")}
            readOnly={isLocked}
            value={String(row.reason ?? "")}
            onChange={(event) => put(withCell(row, "reason", event.currentTarget.value))}
          />
        </>
      )}
    </Rows>
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
