import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { useDeleteSecret, useSaveSecret, useSecrets } from "../api/mine";
import { useAgents } from "../api/queries";
import type { Secret } from "../api/views";
import { isSecretName, type Pair, problemOf, valuesOf } from "../lib/secrets";
import { Confirm } from "../parts/Confirm";
import { Icon } from "../parts/icons";
import { PageHead, Section } from "../parts/Page";
import { Empty, Failure, Refusal, Rows } from "../parts/States";
import { Ago } from "../parts/Times";
import { useWords } from "../words/words";
import classes from "./OwnedPage.module.css";

/** Names and keys are shown; values only go in. */
export default function SecretsPage() {
  const { t } = useWords();
  return (
    <>
      <PageHead
        kind={<Link href="/settings">{t("nav.settings")}</Link>}
        title={t("secrets.title")}
        detail={t("secrets.detail")}
      />
      <Section title={t("secrets.list")}>
        <List />
      </Section>
      <Section title={t("secrets.new")}>
        <NewSecret />
      </Section>
    </>
  );
}

function List() {
  const { t } = useWords();
  const secrets = useSecrets();
  if (secrets.isPending) return <Rows count={2} />;
  if (!secrets.data) return <Failure error={secrets.error} retry={() => void secrets.refetch()} />;
  if (secrets.data.length === 0) {
    return <Empty icon="lock" title={t("secrets.none")} detail={t("secrets.noneDetail")} />;
  }
  return (
    <ul className={classes.list} aria-label={t("secrets.list")}>
      {secrets.data.map((secret) => (
        <Row key={secret.name} secret={secret} />
      ))}
    </ul>
  );
}

function Row({ secret }: { secret: Secret }) {
  const { t } = useWords();
  const [isReplacing, setReplacing] = useState(false);
  const remove = useDeleteSecret();
  return (
    <li className={classes.item}>
      <div className={classes.what}>
        <code className={classes.name}>{secret.name}</code>
        {secret.keys.map((key) => (
          <code key={key} className={classes.tag}>
            {key}
          </code>
        ))}
      </div>
      <dl className={classes.facts}>
        <div>
          <dt>{t("keys.created")}</dt>
          <dd>
            <Ago time={secret.createdTime} />
          </dd>
        </div>
        <div>
          <dt>{t("secrets.usedBy")}</dt>
          <dd>
            <Users ids={secret.usedBy} />
          </dd>
        </div>
      </dl>
      <div className={classes.act}>
        {!isReplacing && (
          <Button variant="default" size="xs" onClick={() => setReplacing(true)}>
            {t("secrets.replace")}
          </Button>
        )}
        <Confirm
          label={t("secrets.delete")}
          ask={t("secrets.deleteAsk", { name: secret.name })}
          yes={t("secrets.deleteYes")}
          button={{ size: "xs" }}
          isPending={remove.isPending}
          onYes={() => remove.mutate(secret.name)}
        />
      </div>
      <Refusal error={remove.error} />
      {isReplacing && <Replace secret={secret} close={() => setReplacing(false)} />}
    </li>
  );
}

function Users({ ids }: { ids: string[] }) {
  const { t } = useWords();
  const agents = useAgents();
  if (ids.length === 0) return t("secrets.unused");
  return (
    <span className={classes.links}>
      {ids.map((id) => (
        <Link key={id} href={`/agents/${id}`}>
          {agents.data?.find((agent) => agent.id === id)?.name ?? id}
        </Link>
      ))}
    </span>
  );
}

let made = 0;

function emptyPair(key = ""): Pair {
  made += 1;
  return { id: made, key, value: "" };
}

function NewSecret() {
  const { t } = useWords();
  const [name, setName] = useState("");
  const [pairs, setPairs] = useState(() => [emptyPair()]);
  const save = useSaveSecret();
  const values = valuesOf(pairs);
  const isNamed = isSecretName(name.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!values || !isNamed) return;
    save.mutate(
      { name: name.trim(), values },
      {
        onSuccess: () => {
          setName("");
          setPairs([emptyPair()]);
        },
      },
    );
  };
  return (
    <form className={classes.form} onSubmit={submit} autoComplete="off">
      <TextInput
        label={t("secrets.name")}
        description={t("secrets.nameDetail")}
        required
        withAsterisk={false}
        maxLength={63}
        error={name.trim() && !isNamed && t("secrets.nameWrong")}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Pairs pairs={pairs} set={setPairs} />
      <div className={`${classes.wide} ${classes.buttons}`}>
        <Button type="submit" loading={save.isPending} disabled={!isNamed || !values}>
          {t("secrets.save")}
        </Button>
      </div>
      <div className={classes.wide}>
        <Refusal error={save.error} />
      </div>
    </form>
  );
}

function Replace({ secret, close }: { secret: Secret; close: () => void }) {
  const { t } = useWords();
  const [pairs, setPairs] = useState(() => secret.keys.map(emptyPair));
  const save = useSaveSecret();
  const values = valuesOf(pairs);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (values) save.mutate({ name: secret.name, values }, { onSuccess: close });
  };
  return (
    <form className={classes.form} onSubmit={submit} autoComplete="off">
      <p className={classes.wide}>{t("secrets.replaceDetail", { name: secret.name })}</p>
      <Pairs pairs={pairs} set={setPairs} />
      <div className={`${classes.wide} ${classes.buttons}`}>
        <Button type="submit" loading={save.isPending} disabled={!values}>
          {t("secrets.replace")}
        </Button>
        <Button variant="default" onClick={close}>
          {t("app.cancel")}
        </Button>
      </div>
      <div className={classes.wide}>
        <Refusal error={save.error} />
      </div>
    </form>
  );
}

function Pairs({ pairs, set }: { pairs: Pair[]; set: (pairs: Pair[]) => void }) {
  const { t } = useWords();
  const change = (id: number, part: Partial<Pair>) =>
    set(pairs.map((pair) => (pair.id === id ? { ...pair, ...part } : pair)));
  return (
    <div className={classes.wide}>
      {pairs.map((pair, at) => (
        <One
          key={pair.id}
          pair={pair}
          pairs={pairs}
          number={at + 1}
          change={(part) => change(pair.id, part)}
          remove={
            pairs.length > 1 ? () => set(pairs.filter((other) => other.id !== pair.id)) : null
          }
        />
      ))}
      <Button variant="subtle" size="compact-sm" onClick={() => set([...pairs, emptyPair()])}>
        {t("secrets.add")}
      </Button>
    </div>
  );
}

function One({
  pair,
  pairs,
  number,
  change,
  remove,
}: {
  pair: Pair;
  pairs: Pair[];
  number: number;
  change: (part: Partial<Pair>) => void;
  remove: (() => void) | null;
}) {
  const { t } = useWords();
  const problem = problemOf(pair, pairs);
  const isKey = problem === "keyWrong" || problem === "twice";
  return (
    <fieldset className={classes.pair}>
      <legend className={classes.hidden}>{t("secrets.pair", { number })}</legend>
      <TextInput
        label={t("secrets.key")}
        autoComplete="off"
        spellCheck={false}
        value={pair.key}
        error={isKey && t(`secrets.problem.${problem}`)}
        onChange={(event) => change({ key: event.currentTarget.value })}
      />
      <PasswordInput
        label={t("secrets.value")}
        autoComplete="new-password"
        value={pair.value}
        onChange={(event) => change({ value: event.currentTarget.value })}
      />
      {remove && (
        <button
          type="button"
          className={classes.remove}
          aria-label={t("secrets.removePair", { number })}
          onClick={remove}
        >
          <Icon name="cross" size={16} />
        </button>
      )}
    </fieldset>
  );
}
