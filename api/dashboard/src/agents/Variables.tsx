import { ActionIcon, Autocomplete, Button, TextInput } from "@mantine/core";
import { useSecrets } from "../api/agents";
import { Icon } from "../parts/icons";
import { useWords } from "../words/words";
import { cellOf, secretCells, withCell } from "./cells";
import type { Tree } from "./contents";
import { useExactFault, useFieldName, useForm, useRows } from "./form";
import classes from "./Variables.module.css";

interface Cell {
  readonly name: string;
  readonly label: string;
  readonly data: (row: Tree) => string[];
}

/** Variables with plain values. */
export function Variables() {
  const { t } = useWords();
  return (
    <Table
      path="spec.workspace.env"
      add={t("agents.addEnv")}
      hint={t("agents.envHint")}
      blank={{ name: "", value: "" }}
      cells={() => [
        { name: "name", label: t("agents.variable"), data: () => [] },
        { name: "value", label: t("agents.value"), data: () => [] },
      ]}
    />
  );
}

/** Variables with values of Secrets. The names of one's own are offered. */
export function SecretVariables() {
  const { t } = useWords();
  const secrets = useSecrets().data?.items ?? [];
  const known: readonly Cell[] = [
    { name: "envName", label: t("agents.variable"), data: () => [] },
    {
      name: "name",
      label: t("agents.secret"),
      data: () => secrets.map(({ resource }) => resource),
    },
    {
      name: "key",
      label: t("agents.secretKey"),
      data: (row) => secrets.find(({ resource }) => resource === row.name)?.keys ?? [],
    },
    { name: "secretManager.secret", label: t("agents.managedSecret"), data: () => [] },
    { name: "secretManager.version", label: t("agents.secretVersion"), data: () => ["latest"] },
  ];
  return (
    <Table
      path="spec.workspace.secretRefs"
      add={t("agents.addSecret")}
      hint={t("agents.secretsHint")}
      blank={{ envName: "", name: "", key: "" }}
      cells={(row) => known.filter(({ name }) => secretCells(row).includes(name))}
    />
  );
}

function Table({
  path,
  add,
  hint,
  blank,
  cells,
}: {
  path: string;
  add: string;
  hint: string;
  blank: Tree;
  cells: (row: Tree) => readonly Cell[];
}) {
  const { isLocked } = useForm();
  const { t } = useWords();
  const name = useFieldName();
  const error = useExactFault(path);
  const { rows, put } = useRows(path);
  return (
    <fieldset className={classes.table}>
      <legend>{name(path)}</legend>
      <p className={classes.hint}>{hint}</p>
      {rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place
        <div key={at} className={classes.row} data-cells={cells(row).length}>
          {cells(row).map((cell) => (
            <CellInput
              key={cell.name}
              path={`${path}[${at}].${cell.name}`}
              label={cell.label}
              data={cell.data(row)}
              value={String(cellOf(row, cell.name) ?? "")}
              put={(text) => put(rows.with(at, withCell(row, cell.name, text)))}
            />
          ))}
          {!isLocked && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              className={classes.remove}
              aria-label={t("agents.removeRow", {
                name: String(row[cells(row)[0]?.name ?? ""] ?? ""),
              })}
              onClick={() => put(rows.toSpliced(at, 1))}
            >
              <Icon name="cross" size={16} />
            </ActionIcon>
          )}
        </div>
      ))}
      {error && <p className={classes.error}>{error}</p>}
      {!isLocked && (
        <Button variant="default" size="xs" onClick={() => put([...rows, blank])}>
          {add}
        </Button>
      )}
    </fieldset>
  );
}

function CellInput({
  path,
  label,
  data,
  value,
  put,
}: {
  path: string;
  label: string;
  data: string[];
  value: string;
  put: (text: string) => void;
}) {
  const { isLocked } = useForm();
  const error = useExactFault(path);
  const shared = { "aria-label": label, placeholder: label, error, value, readOnly: isLocked };
  if (data.length > 0) return <Autocomplete {...shared} data={data} onChange={put} />;
  return <TextInput {...shared} onChange={(event) => put(event.currentTarget.value)} />;
}
