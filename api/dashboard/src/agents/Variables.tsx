import { ActionIcon, Autocomplete, Button, TextInput } from "@mantine/core";
import { useSecrets } from "../api/agents";
import { Icon } from "../parts/icons";
import { useWords } from "../words/words";
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
      cells={[
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
  return (
    <Table
      path="spec.workspace.secretRefs"
      add={t("agents.addSecret")}
      hint={t("agents.secretsHint")}
      cells={[
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
      ]}
    />
  );
}

function Table({
  path,
  add,
  hint,
  cells,
}: {
  path: string;
  add: string;
  hint: string;
  cells: readonly Cell[];
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
        <div key={at} className={classes.row} data-cells={cells.length}>
          {cells.map((cell) => (
            <CellInput
              key={cell.name}
              path={`${path}[${at}].${cell.name}`}
              label={cell.label}
              data={cell.data(row)}
              value={String(row[cell.name] ?? "")}
              put={(text) => put(rows.with(at, { ...row, [cell.name]: text }))}
            />
          ))}
          {!isLocked && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              className={classes.remove}
              aria-label={t("agents.removeRow", { name: String(row[cells[0]?.name ?? ""] ?? "") })}
              onClick={() => put(rows.toSpliced(at, 1))}
            >
              <Icon name="cross" size={16} />
            </ActionIcon>
          )}
        </div>
      ))}
      {error && <p className={classes.error}>{error}</p>}
      {!isLocked && (
        <Button
          variant="default"
          size="xs"
          onClick={() => put([...rows, Object.fromEntries(cells.map(({ name }) => [name, ""]))])}
        >
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
