import { Button, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { NewTriggerKey, TriggerKey } from "../api/views";
import { useMakeTriggerKey, useRevokeTriggerKey, useTriggerKeys } from "../api/webhooks";
import owned from "../pages/OwnedPage.module.css";
import { Confirm } from "../parts/Confirm";
import { Section } from "../parts/Page";
import { Copy, Revealed } from "../parts/Revealed";
import { Empty, Failure, Refusal, Rows } from "../parts/States";
import { Ago } from "../parts/Times";
import steps from "../transcript/Steps.module.css";
import { useWords } from "../words/words";
import { curlOf, triggerUrl } from "./commands";
import classes from "./Webhooks.module.css";

const NAME_MOST = 63;
const KINDS = ["bearer", "signature"] as const;
type Kind = (typeof KINDS)[number];

/** Who starts this agent from elsewhere. */
export function TriggerKeys({ agent }: { agent: string }) {
  const { t } = useWords();
  const make = useMakeTriggerKey(agent);
  return (
    <Section title={t("webhooks.in")}>
      <p className={classes.detail}>{t("webhooks.inDetail")}</p>
      {make.data && (
        <Revealed
          title={t("webhooks.keyMade")}
          detail={t("webhooks.keyMadeDetail")}
          value={make.data.secret}
          copy={t("keys.copy")}
          close={t("webhooks.done")}
          done={make.reset}
        >
          <Example agent={agent} kind={make.data.kind} secret={make.data.secret} />
        </Revealed>
      )}
      <List agent={agent} />
      {!make.data && (
        <>
          <Form isPending={make.isPending} make={(key) => make.mutate(key)} />
          <Refusal error={make.error} />
        </>
      )}
    </Section>
  );
}

function Example({ agent, kind, secret }: { agent: string; kind: Kind; secret: string }) {
  const { t } = useWords();
  const command = curlOf(triggerUrl(agent), kind, secret);
  return (
    <div className={classes.example}>
      {kind === "signature" && (
        <>
          <p>{t("webhooks.github")}</p>
          <pre className={steps.code}>{triggerUrl(agent)}</pre>
        </>
      )}
      <span className={classes.label}>{t("webhooks.example")}</span>
      <pre className={steps.code}>{command}</pre>
      <Copy variant="default" text={command} label={t("webhooks.exampleCopy")} />
    </div>
  );
}

function Form({ isPending, make }: { isPending: boolean; make: (key: NewTriggerKey) => void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const [kind, setKind] = useState<Kind>("bearer");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make({ name: name.trim(), kind });
  };
  return (
    <form className={owned.form} onSubmit={submit}>
      <TextInput
        label={t("webhooks.keyName")}
        maxLength={NAME_MOST}
        required
        withAsterisk={false}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label={t("webhooks.keyKind")}
        allowDeselect={false}
        value={kind}
        onChange={(chosen) => setKind(chosen === "signature" ? chosen : "bearer")}
        data={KINDS.map((value) => ({ value, label: t(`webhooks.kind.${value}`) }))}
      />
      <div className={owned.wide}>
        <Button type="submit" loading={isPending} disabled={!name.trim()}>
          {t("webhooks.keyCreate")}
        </Button>
      </div>
    </form>
  );
}

function List({ agent }: { agent: string }) {
  const { t } = useWords();
  const keys = useTriggerKeys(agent);
  if (keys.isPending) return <Rows count={1} />;
  if (!keys.data) return <Failure error={keys.error} retry={() => void keys.refetch()} />;
  if (keys.data.length === 0) {
    return <Empty icon="lock" title={t("webhooks.keyNone")} detail={t("webhooks.keyNoneDetail")} />;
  }
  return (
    <ul className={owned.list} aria-label={t("webhooks.keys")}>
      {keys.data.map((key) => (
        <Row key={key.id} agent={agent} own={key} />
      ))}
    </ul>
  );
}

function Row({ agent, own }: { agent: string; own: TriggerKey }) {
  const { t } = useWords();
  const revoke = useRevokeTriggerKey(agent);
  const [isOpen, setOpen] = useState(false);
  return (
    <li className={owned.item}>
      <div className={owned.what}>
        <span className={owned.name}>{own.name}</span>
        <span className={owned.tag}>{t(`webhooks.kind.${own.kind}`)}</span>
      </div>
      <dl className={owned.facts}>
        <div>
          <dt>{t("keys.created")}</dt>
          <dd>
            <Ago time={own.createdTime} />
          </dd>
        </div>
      </dl>
      <div className={owned.act}>
        <Button variant="default" size="xs" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {t("webhooks.example")}
        </Button>
        <Confirm
          label={t("keys.revoke")}
          ask={t("webhooks.keyRevokeAsk", { name: own.name })}
          yes={t("keys.revokeYes")}
          button={{ size: "xs" }}
          isPending={revoke.isPending}
          onYes={() => revoke.mutate(own.id)}
        />
      </div>
      <Refusal error={revoke.error} />
      {isOpen && (
        <div className={owned.wide}>
          <Example agent={agent} kind={own.kind} secret="KEY" />
        </div>
      )}
    </li>
  );
}
