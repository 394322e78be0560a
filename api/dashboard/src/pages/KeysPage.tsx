import { Button, Checkbox, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { type NewKey, useKeys, useMakeKey, useRevokeKey } from "../api/mine";
import type { UserKey } from "../api/views";
import { keyState, sortedKeys } from "../lib/keys";
import { useNow } from "../lib/now";
import { Confirm } from "../parts/Confirm";
import { PageHead, Section } from "../parts/Page";
import { Pill } from "../parts/Phase";
import { Revealed } from "../parts/Revealed";
import { Empty, Failure, Refusal, Rows } from "../parts/States";
import { Ago } from "../parts/Times";
import { useWords } from "../words/words";
import classes from "./OwnedPage.module.css";

const SCOPES = ["models", "api"] as const;
const DAYS = [7, 30, 90, 365];
const DAY_SECONDS = 86_400;
const NAME_MOST = 60;

/** Keys for a person's own programs. */
export default function KeysPage() {
  const { t } = useWords();
  const make = useMakeKey();
  return (
    <>
      <PageHead
        kind={<Link href="/settings">{t("nav.settings")}</Link>}
        title={t("keys.title")}
        detail={t("keys.detail")}
      />
      {make.data && (
        <Revealed
          title={t("keys.made")}
          detail={t("keys.madeDetail")}
          value={make.data.key}
          copy={t("keys.copy")}
          close={t("keys.done")}
          done={make.reset}
        />
      )}
      <Section title={t("keys.list")}>
        <List />
      </Section>
      {!make.data && (
        <Section title={t("keys.new")}>
          <Form isPending={make.isPending} make={(key) => make.mutate(key)} />
          <Refusal error={make.error} />
        </Section>
      )}
    </>
  );
}

function Form({ isPending, make }: { isPending: boolean; make: (key: NewKey) => void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["models"]);
  const [days, setDays] = useState("90");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const expiresSeconds = days ? Number(days) * DAY_SECONDS : null;
    make({ name: name.trim(), scopes, expiresSeconds });
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label={t("keys.name")}
        description={t("keys.nameDetail")}
        maxLength={NAME_MOST}
        required
        withAsterisk={false}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label={t("keys.expires")}
        description=" "
        allowDeselect={false}
        value={days}
        onChange={(chosen) => setDays(chosen ?? "")}
        data={[
          ...DAYS.map((count) => ({ value: String(count), label: t("keys.days", { count }) })),
          { value: "", label: t("keys.never") },
        ]}
      />
      <Checkbox.Group
        className={classes.wide}
        label={t("keys.scopes")}
        value={scopes}
        onChange={setScopes}
      >
        <div className={classes.choices}>
          {SCOPES.map((scope) => (
            <Checkbox
              key={scope}
              value={scope}
              label={t(`keys.scope.${scope}`)}
              description={t(`keys.scope.${scope}Detail`)}
            />
          ))}
        </div>
      </Checkbox.Group>
      <div className={classes.wide}>
        <Button type="submit" loading={isPending} disabled={!name.trim() || scopes.length === 0}>
          {t("keys.create")}
        </Button>
      </div>
    </form>
  );
}

function List() {
  const { t } = useWords();
  const now = useNow();
  const keys = useKeys();
  if (keys.isPending) return <Rows count={2} />;
  if (!keys.data) return <Failure error={keys.error} retry={() => void keys.refetch()} />;
  if (keys.data.length === 0) {
    return <Empty icon="lock" title={t("keys.none")} detail={t("keys.noneDetail")} />;
  }
  return (
    <ul className={classes.list} aria-label={t("keys.list")}>
      {sortedKeys(keys.data, now).map((key) => (
        <Row key={key.id} owned={key} />
      ))}
    </ul>
  );
}

const TONES = { active: "good", expired: "calm", revoked: "calm" } as const;

function Row({ owned }: { owned: UserKey }) {
  const { t, instant } = useWords();
  const revoke = useRevokeKey();
  const state = keyState(owned, useNow());
  return (
    <li className={classes.item} data-faded={state !== "active" || undefined}>
      <div className={classes.what}>
        <span className={classes.name}>{owned.name}</span>
        <Pill tone={TONES[state]}>{t(`keys.state.${state}`)}</Pill>
        {owned.scopes.map((scope) => (
          <span key={scope} className={classes.tag}>
            {scope === "models" || scope === "api" ? t(`keys.scope.${scope}`) : scope}
          </span>
        ))}
      </div>
      <dl className={classes.facts}>
        <div>
          <dt>{t("keys.created")}</dt>
          <dd>
            <Ago time={owned.createdTime} />
          </dd>
        </div>
        <div>
          <dt>{t("keys.used")}</dt>
          <dd>{owned.lastUsedTime ? <Ago time={owned.lastUsedTime} /> : t("keys.unused")}</dd>
        </div>
        <div>
          <dt>{t("keys.expires")}</dt>
          <dd>{owned.expiresTime ? instant(owned.expiresTime) : t("keys.never")}</dd>
        </div>
      </dl>
      {state === "active" && (
        <div className={classes.act}>
          <Confirm
            label={t("keys.revoke")}
            ask={t("keys.revokeAsk", { name: owned.name })}
            yes={t("keys.revokeYes")}
            button={{ size: "xs" }}
            isPending={revoke.isPending}
            onYes={() => revoke.mutate(owned.id)}
          />
        </div>
      )}
      <Refusal error={revoke.error} />
    </li>
  );
}
