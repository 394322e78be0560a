import { Button, Checkbox, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { useAgents, useMe } from "../api/queries";
import type { NewWebhook, Webhook } from "../api/views";
import { useDeleteWebhook, useMakeWebhook, useWebhooks } from "../api/webhooks";
import owned from "../pages/OwnedPage.module.css";
import { Confirm } from "../parts/Confirm";
import { Section } from "../parts/Page";
import { Revealed } from "../parts/Revealed";
import { Empty, Failure, Refusal, Rows } from "../parts/States";
import { Ago } from "../parts/Times";
import { useWords } from "../words/words";
import { problemOfAddress } from "./addresses";
import { Deliveries } from "./Deliveries";
import classes from "./Webhooks.module.css";

const EVENTS = [
  "execution.failed",
  "schedule.paused",
  "schedule.missed",
  "approval.asked",
] as const;

/** Who is told what went wrong with one agent, or with any of the person's. */
export function Webhooks({ agent }: { agent: string | null }) {
  const { t } = useWords();
  const make = useMakeWebhook();
  const isGuest = useMe().data?.kind === "guest";
  return (
    <Section title={t("webhooks.out")}>
      <p className={classes.detail}>{t("webhooks.outDetail")}</p>
      {make.data && (
        <Revealed
          title={t("webhooks.made")}
          detail={t("webhooks.madeDetail")}
          value={make.data.secret}
          copy={t("webhooks.copy")}
          close={t("webhooks.done")}
          done={make.reset}
        />
      )}
      <List agent={agent} />
      {isGuest && <p className={classes.quiet}>{t("webhooks.guest")}</p>}
      {!make.data && !isGuest && (
        <>
          <Form agent={agent} isPending={make.isPending} make={(hook) => make.mutate(hook)} />
          <Refusal error={make.error} />
        </>
      )}
    </Section>
  );
}

function Form({
  agent,
  isPending,
  make,
}: {
  agent: string | null;
  isPending: boolean;
  make: (hook: NewWebhook) => void;
}) {
  const { t } = useWords();
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState<string[]>([...EVENTS]);
  const [isChannel, setChannel] = useState(false);
  const networks = useWebhooks(agent).data?.networks ?? [];
  const problem = url.trim() ? problemOfAddress(url.trim(), networks) : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (problem) return;
    const wanted = EVENTS.filter((each) => events.includes(each));
    make({ url: url.trim(), agent, events: wanted, kind: isChannel ? "slack" : "standard" });
  };
  return (
    <form className={owned.form} onSubmit={submit}>
      <TextInput
        className={owned.wide}
        label={t("webhooks.url")}
        description={
          networks.length > 0
            ? t("webhooks.urlNetworks", { networks: networks.join(", ") })
            : t("webhooks.urlDetail")
        }
        error={problem && t(`webhooks.urlWrong.${problem}`)}
        type="url"
        maxLength={2000}
        required
        withAsterisk={false}
        value={url}
        onChange={(event) => setUrl(event.currentTarget.value)}
      />
      <Checkbox.Group
        className={owned.wide}
        label={t("webhooks.events")}
        value={events}
        onChange={setEvents}
      >
        <div className={owned.choices}>
          {EVENTS.map((each) => (
            <Checkbox key={each} value={each} label={t(`webhooks.event.${each}`)} />
          ))}
        </div>
      </Checkbox.Group>
      <Checkbox
        className={owned.wide}
        label={t("webhooks.channel")}
        description={t("webhooks.channelDetail")}
        checked={isChannel}
        onChange={(event) => setChannel(event.currentTarget.checked)}
      />
      <div className={owned.wide}>
        <Button
          type="submit"
          loading={isPending}
          disabled={!url.trim() || !!problem || events.length === 0}
        >
          {t("webhooks.create")}
        </Button>
      </div>
    </form>
  );
}

function List({ agent }: { agent: string | null }) {
  const { t } = useWords();
  const hooks = useWebhooks(agent);
  if (hooks.isPending) return <Rows count={1} />;
  if (!hooks.data) return <Failure error={hooks.error} retry={() => void hooks.refetch()} />;
  if (hooks.data.items.length === 0) {
    return <Empty icon="globe" title={t("webhooks.none")} detail={t("webhooks.noneDetail")} />;
  }
  return (
    <ul className={owned.list} aria-label={t("webhooks.title")}>
      {hooks.data.items.map((hook) => (
        <Row key={hook.id} hook={hook} />
      ))}
    </ul>
  );
}

function Row({ hook }: { hook: Webhook }) {
  const { t } = useWords();
  const remove = useDeleteWebhook();
  const [isOpen, setOpen] = useState(false);
  return (
    <li className={owned.item}>
      <div className={owned.what}>
        <span className={owned.name}>{hook.url}</span>
        {hook.kind === "slack" && <span className={owned.tag}>{t("webhooks.channelTag")}</span>}
        {hook.events.map((each) => (
          <span key={each} className={owned.tag}>
            {t(`webhooks.event.${each}`)}
          </span>
        ))}
      </div>
      <dl className={owned.facts}>
        <div>
          <dt>{t("agents.title")}</dt>
          <dd>
            <Of hook={hook} />
          </dd>
        </div>
        <div>
          <dt>{t("keys.created")}</dt>
          <dd>
            <Ago time={hook.createdTime} />
          </dd>
        </div>
      </dl>
      <div className={owned.act}>
        <Button variant="default" size="xs" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {t(isOpen ? "webhooks.hide" : "webhooks.show")}
        </Button>
        {!hook.isForEverybody && (
          <Confirm
            label={t("webhooks.delete")}
            ask={t("webhooks.deleteAsk")}
            yes={t("webhooks.delete")}
            button={{ size: "xs" }}
            isPending={remove.isPending}
            onYes={() => remove.mutate(hook.id)}
          />
        )}
      </div>
      <Refusal error={remove.error} />
      {isOpen && <Deliveries webhook={hook.id} />}
    </li>
  );
}

function Of({ hook }: { hook: Webhook }) {
  const { t } = useWords();
  const agents = useAgents();
  if (hook.isForEverybody) return t("webhooks.everybody");
  if (!hook.agent) return t("webhooks.allAgents");
  const name = agents.data?.find((each) => each.id === hook.agent)?.name ?? hook.agent;
  return <Link href={`/agents/${hook.agent}?tab=webhooks`}>{name}</Link>;
}
