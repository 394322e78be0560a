import { TagsInput, TextInput } from "@mantine/core";
import { useWords } from "../words/words";
import type { Tree } from "./contents";
import { useExactFault, useFault, useForm } from "./form";
import { Rows } from "./Rows";

/** Hosts outside that runs may reach, each with its ports. */
export function Hosts() {
  const { t } = useWords();
  return (
    <Rows
      path="spec.workspace.egress"
      hint={t("hosts.hint")}
      adds={[{ label: t("hosts.add"), blank: { host: "" } }]}
      width={() => 2}
      called={(row) => String(row.host ?? "")}
    >
      {(row, path, put) => (
        <>
          <HostInput row={row} path={path} put={put} />
          <PortsInput row={row} path={path} put={put} />
        </>
      )}
    </Rows>
  );
}

interface CellProps {
  row: Tree;
  path: string;
  put: (row: Tree) => void;
}

function HostInput({ row, path, put }: CellProps) {
  const { isLocked } = useForm();
  const { t } = useWords();
  return (
    <TextInput
      aria-label={t("hosts.host")}
      placeholder="api.example.com"
      error={useExactFault(`${path}.host`)}
      value={String(row.host ?? "")}
      readOnly={isLocked}
      onChange={(event) => put({ ...row, host: event.currentTarget.value.trim() })}
    />
  );
}

function PortsInput({ row, path, put }: CellProps) {
  const { isLocked } = useForm();
  const { t } = useWords();
  const ports = Array.isArray(row.ports) ? row.ports.map(String) : [];
  const { ports: _, ...others } = row;
  return (
    <TagsInput
      aria-label={t("hosts.ports")}
      placeholder={ports.length === 0 ? "443" : undefined}
      error={useFault(`${path}.ports`)}
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
