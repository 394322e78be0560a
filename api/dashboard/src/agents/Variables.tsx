import { Autocomplete, TextInput } from "@mantine/core";
import { useSecrets } from "../api/agents";
import { useWords } from "../words/words";
import { cellOf, secretCells, withCell } from "./cells";
import type { Tree } from "./contents";
import { useExactFault, useForm } from "./form";
import { Rows } from "./Rows";

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
  return (
    <Rows
      path={path}
      hint={hint}
      adds={[{ label: add, blank }]}
      width={(row) => cells(row).length}
      called={(row) => String(row[cells(row)[0]?.name ?? ""] ?? "")}
    >
      {(row, place, put) =>
        cells(row).map((cell) => (
          <CellInput
            key={cell.name}
            path={`${place}.${cell.name}`}
            label={cell.label}
            data={cell.data(row)}
            value={String(cellOf(row, cell.name) ?? "")}
            put={(text) => put(withCell(row, cell.name, text))}
          />
        ))
      }
    </Rows>
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
