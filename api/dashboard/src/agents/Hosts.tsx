import { ActionIcon, Button, TagsInput, TextInput } from "@mantine/core";
import { Icon } from "../parts/icons";
import { useWords } from "../words/words";
import type { Tree } from "./contents";
import { useExactFault, useFault, useFieldName, useForm, useRows } from "./form";
import classes from "./Variables.module.css";

const PATH = "spec.workspace.egress";

/** Hosts outside that runs may reach, each with its ports. */
export function Hosts() {
  const { isLocked } = useForm();
  const { t } = useWords();
  const name = useFieldName();
  const error = useExactFault(PATH);
  const { rows, put } = useRows(PATH);
  return (
    <fieldset className={classes.table}>
      <legend>{name(PATH)}</legend>
      <p className={classes.hint}>{t("hosts.hint")}</p>
      {rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place
        <div key={at} className={classes.row} data-cells={2}>
          <HostInput at={at} row={row} put={(next) => put(rows.with(at, next))} />
          <PortsInput at={at} row={row} put={(next) => put(rows.with(at, next))} />
          {!isLocked && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              className={classes.remove}
              aria-label={t("agents.removeRow", { name: String(row.host ?? "") })}
              onClick={() => put(rows.toSpliced(at, 1))}
            >
              <Icon name="cross" size={16} />
            </ActionIcon>
          )}
        </div>
      ))}
      {error && <p className={classes.error}>{error}</p>}
      {!isLocked && (
        <Button variant="default" size="xs" onClick={() => put([...rows, { host: "" }])}>
          {t("hosts.add")}
        </Button>
      )}
    </fieldset>
  );
}

interface CellProps {
  at: number;
  row: Tree;
  put: (row: Tree) => void;
}

function HostInput({ at, row, put }: CellProps) {
  const { isLocked } = useForm();
  const { t } = useWords();
  return (
    <TextInput
      aria-label={t("hosts.host")}
      placeholder="api.example.com"
      error={useExactFault(`${PATH}[${at}].host`)}
      value={String(row.host ?? "")}
      readOnly={isLocked}
      onChange={(event) => put({ ...row, host: event.currentTarget.value.trim() })}
    />
  );
}

function PortsInput({ at, row, put }: CellProps) {
  const { isLocked } = useForm();
  const { t } = useWords();
  const ports = Array.isArray(row.ports) ? row.ports.map(String) : [];
  const { ports: _, ...others } = row;
  return (
    <TagsInput
      aria-label={t("hosts.ports")}
      placeholder={ports.length === 0 ? "443" : undefined}
      error={useFault(`${PATH}[${at}].ports`)}
      value={ports}
      readOnly={isLocked}
      splitChars={[",", " "]}
      acceptValueOnBlur
      onChange={(next) => put(next.length > 0 ? { ...row, ports: next.map(portOf) } : others)}
    />
  );
}

/** What is no number stays as it was written, and is refused with a word. */
function portOf(text: string): number | string {
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}
