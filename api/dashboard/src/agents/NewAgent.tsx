import { Button, FileButton, Modal, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useLocation } from "wouter";
import { freshName, useOrder } from "../lib/orders";
import { Refusal } from "../parts/States";
import { useWords } from "../words/words";
import classes from "./Dialogs.module.css";

/** A draft from nothing but a name, or from the YAML of an Agent. */
export function NewAgent({ kind, close }: { kind: "blank" | "yaml" | null; close: () => void }) {
  const { t } = useWords();
  return (
    <Modal
      opened={kind !== null}
      onClose={close}
      size={kind === "yaml" ? "lg" : "md"}
      title={kind === "yaml" ? t("agents.import") : t("agents.new")}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      {kind === "blank" && <Blank close={close} />}
      {kind === "yaml" && <Import close={close} />}
    </Modal>
  );
}

/** Makes it once, however often the same is sent, and goes to it. */
function useMaking() {
  const [, go] = useLocation();
  const last = useRef({ text: "", once: "" });
  const order = useOrder();
  const make = (body: object, tab: string) => {
    const text = JSON.stringify(body);
    if (last.current.text !== text) last.current = { text, once: freshName() };
    order.mutate(
      { path: "/api/agents", body, once: last.current.once },
      { onSuccess: ({ agent }) => go(`/agents/${agent}${tab}`) },
    );
  };
  return { make, isBusy: order.isPending, error: order.error };
}

function Blank({ close }: { close: () => void }) {
  const { t } = useWords();
  const { make, isBusy, error } = useMaking();
  const [name, setName] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) make({ name: name.trim(), spec: {} }, "?tab=edit");
  };
  return (
    <form className={classes.body} onSubmit={submit}>
      <TextInput
        data-autofocus
        label={t("field.name")}
        description={t("agents.nameHint")}
        maxLength={120}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Refusal error={error} />
      <Buttons close={close} isBusy={isBusy} isReady={name.trim() !== ""} />
    </form>
  );
}

function Import({ close }: { close: () => void }) {
  const { t } = useWords();
  const { make, isBusy, error } = useMaking();
  const [yaml, setYaml] = useState("");
  const read = (file: File | null) => void file?.text().then(setYaml);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (yaml.trim()) make({ yaml }, "");
  };
  return (
    <form className={classes.body} onSubmit={submit}>
      <Textarea
        data-autofocus
        classNames={{ input: classes.yaml }}
        label={t("agents.yaml")}
        description={t("agents.yamlHint")}
        autosize
        minRows={10}
        maxRows={22}
        spellCheck={false}
        value={yaml}
        onChange={(event) => setYaml(event.currentTarget.value)}
      />
      <Refusal error={error} />
      <div className={classes.buttons}>
        <FileButton accept=".yaml,.yml,.json,text/yaml,application/yaml" onChange={read}>
          {(props) => (
            <Button {...props} variant="default">
              {t("agents.file")}
            </Button>
          )}
        </FileButton>
        <Buttons close={close} isBusy={isBusy} isReady={yaml.trim() !== ""} />
      </div>
    </form>
  );
}

function Buttons({
  close,
  isBusy,
  isReady,
}: {
  close: () => void;
  isBusy: boolean;
  isReady: boolean;
}) {
  const { t } = useWords();
  return (
    <div className={classes.buttons}>
      <Button variant="default" onClick={close}>
        {t("app.cancel")}
      </Button>
      <Button type="submit" disabled={!isReady} loading={isBusy}>
        {t("agents.create")}
      </Button>
    </div>
  );
}
