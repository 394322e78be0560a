import { Link } from "wouter";
import { useAsk } from "../api/approvals";
import { ApiError } from "../api/client";
import type { Approval } from "../api/views";
import { AgentsWords } from "../approvals/AgentsWords";
import classes from "../approvals/Approvals.module.css";
import { AskState } from "../approvals/AskList";
import { Deciding } from "../approvals/Deciding";
import { Exact } from "../approvals/Exact";
import { Outcome } from "../approvals/Outcome";
import { factsOf, isWhole, type ShownFact } from "../lib/asks";
import { Callout } from "../parts/Callout";
import { Copied } from "../parts/Copied";
import { Facts } from "../parts/Facts";
import { PageHead, Section } from "../parts/Page";
import { Failure, Rows } from "../parts/States";
import { Ago, Ahead } from "../parts/Times";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import { MissingPage } from "./MissingPage";

/** One ask: everything that would happen, then yes or no. */
export default function ApprovalPage({ id }: { id: string }) {
  const ask = useAsk(id);
  if (ask.data) return <Loaded ask={ask.data} />;
  if (ask.isPending) return <Rows count={4} height={96} />;
  if (ask.error instanceof ApiError && ask.error.status === 404) {
    return <MissingPage what="approval" />;
  }
  return <Failure error={ask.error} retry={() => void ask.refetch()} />;
}

function Loaded({ ask }: { ask: Approval }) {
  const { t, name } = useWords();
  const title = name("askClass", ask.actionClass);
  const { facts, said } = factsOf(ask);
  return (
    <>
      <PageHead
        kind={
          <>
            <Link href="/approvals">{t("approvals.title")}</Link>
            <AskState ask={ask} />
            {ask.reason && <span>{name("reason", ask.reason)}</span>}
          </>
        }
        title={title}
        detail={<Link href={`/executions/${ask.execution}`}>{t("approvals.toRun")}</Link>}
        tab={`${title} · ${ask.agent}`}
      />
      <InShort ask={ask} />
      {!isWhole(ask) && (
        <Callout tone="bad" icon="alert" title={t("approvals.incomplete")}>
          <p>{t("approvals.incompleteDetail")}</p>
        </Callout>
      )}
      <Section title={t("approvals.whole")}>
        <p className={classes.aside}>{t("approvals.hidden")}</p>
        <Whole facts={facts} />
        <p className={classes.aside}>
          {t("approvals.digest")} <Copied text={ask.digest} />
        </p>
      </Section>
      <AgentsWords ask={ask} said={said} />
      <Outcome ask={ask} />
      {ask.isOpen && <Deciding ask={ask} />}
    </>
  );
}

function InShort({ ask }: { ask: Approval }) {
  const { t, name } = useWords();
  const target = ask.target ? <Exact text={ask.target} /> : t("approvals.nowhere");
  return (
    <Facts
      label={t("approvals.facts")}
      facts={[
        [t("approvals.what"), name("askClass", ask.actionClass)],
        [t("approvals.target"), target],
        [t("approvals.agent"), <Exact key="agent" text={ask.agent} />],
        [
          t("approvals.tool"),
          <code key="tool">
            <Exact text={ask.tool} />
          </code>,
        ],
        [t("approvals.cost"), money(ask.costMicros)],
        ask.isOpen
          ? [t("approvals.expires"), <Ahead key="expires" time={ask.expiresTime} />]
          : [t("approvals.asked"), <Ago key="asked" time={ask.createdTime} />],
        [
          t("approvals.quorum"),
          t("approvals.quorumOf", { counted: ask.counted, quorum: ask.quorum }),
        ],
      ]}
    />
  );
}

function Whole({ facts }: { facts: ShownFact[] }) {
  const { name } = useWords();
  return (
    <dl className={classes.exact}>
      {facts.map((fact) => (
        <div key={`${fact.isInput} ${fact.name}`}>
          <dt>{fact.isInput ? <Exact text={fact.name} /> : name("askFact", fact.name)}</dt>
          <dd>
            <pre className={classes.text}>
              <Exact text={fact.text} />
            </pre>
          </dd>
        </div>
      ))}
    </dl>
  );
}
