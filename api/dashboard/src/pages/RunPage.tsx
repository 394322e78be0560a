import { Tabs } from "@mantine/core";
import { useEffect, useState } from "react";
import { Link, useSearchParams } from "wouter";
import { asksOf, useAsks } from "../api/approvals";
import { ApiError } from "../api/client";
import { useAgentOf, useFiles, useRun } from "../api/queries";
import type { Execution } from "../api/views";
import { AskList } from "../approvals/AskList";
import { markSeen } from "../lib/seen";
import { Attempts } from "../parts/Attempts";
import { Callout } from "../parts/Callout";
import { Compare } from "../parts/Compare";
import { Copied } from "../parts/Copied";
import { Facts } from "../parts/Facts";
import { Files, FileTab } from "../parts/Files";
import { Log } from "../parts/Log";
import { ModelCosts } from "../parts/ModelCosts";
import { PageHead, Section } from "../parts/Page";
import { Phase } from "../parts/Phase";
import { RunActions } from "../parts/RunActions";
import { Failure, Rows } from "../parts/States";
import { SystemWords } from "../parts/SystemWords";
import { Ago, Took } from "../parts/Times";
import { Steps } from "../transcript/Steps";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import { MissingPage } from "./MissingPage";
import classes from "./RunPage.module.css";

/** One run: how far it is and why, and every step as it happens. */
export default function RunPage({ id }: { id: string }) {
  const run = useRun(id);
  useEffect(() => markSeen(id), [id]);
  if (run.data) return <Loaded run={run.data} />;
  if (run.isPending) return <Rows count={4} height={96} />;
  if (run.error instanceof ApiError && run.error.status === 404) return <MissingPage what="run" />;
  return <Failure error={run.error} retry={() => void run.refetch()} />;
}

function Loaded({ run }: { run: Execution }) {
  const { t, name } = useWords();
  const [chosen, setChosen] = useState<number | null>(null);
  const title = useAgentOf(run)?.name ?? run.agent;
  const latest = run.attempts.at(-1)?.number ?? 1;
  const attempt = chosen ?? latest;
  return (
    <>
      <PageHead
        kind={
          <>
            <Link href="/executions">{t("nav.executions")}</Link>
            <Phase phase={run.phase} />
            {run.isFinished && <span>{name("reason", run.reason)}</span>}
            {run.testOf && <span>{t("runs.test")}</span>}
          </>
        }
        title={title}
        detail={
          <span className={classes.detail}>
            <code className={classes.name}>{run.name}</code>
            <AgentLink run={run} />
          </span>
        }
        tab={`${title} · ${name("phase", run.phase)}`}
      >
        <RunActions run={run} />
      </PageHead>
      <RunFacts run={run} />
      <Verdict run={run} />
      <Asked run={run} />
      <div className={classes.columns}>
        <div className={classes.attempts}>
          <Section title={t("run.attempts")}>
            <Attempts run={run} shown={attempt} show={setChosen} />
          </Section>
        </div>
        <div className={classes.steps}>
          <Parts run={run} attempt={attempt} isLatest={attempt === latest} />
        </div>
        <div className={classes.about}>
          <ModelCosts run={run} attempt={attempt} />
          <Files run={run} />
          <Details run={run} />
        </div>
      </div>
    </>
  );
}

/** What it asked for, with what became of it. */
function Asked({ run }: { run: Execution }) {
  const { t } = useWords();
  const asks = asksOf(useAsks({ execution: run.id }).data);
  if (asks.length === 0) return null;
  return (
    <Section title={t("approvals.ofRun")}>
      <AskList asks={asks} label={t("approvals.ofRun")} />
    </Section>
  );
}

const TABS = ["steps", "files", "logs", "compare"] as const;
type Tab = (typeof TABS)[number];

/** The parts of a run; which one is shown is in the address. */
function Parts({ run, attempt, isLatest }: { run: Execution; attempt: number; isLatest: boolean }) {
  const { t } = useWords();
  const [query, setQuery] = useSearchParams();
  const files = useFiles(run).data?.items.length ?? 0;
  const tab = TABS.find((each) => each === query.get("tab")) ?? "steps";
  const label = (each: Tab) =>
    each === "files" && files > 0 ? `${t("runTab.files")} ${files}` : t(`runTab.${each}`);
  const show = (each: string | null) =>
    setQuery(each && each !== "steps" ? { tab: each } : {}, { replace: true });
  return (
    <Tabs value={tab} onChange={show} keepMounted={false}>
      <Tabs.List className={classes.tabs}>
        {TABS.map((each) => (
          <Tabs.Tab key={each} value={each}>
            {label(each)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="steps">
        <Steps key={attempt} run={run} attempt={attempt} isLatest={isLatest} />
      </Tabs.Panel>
      <Tabs.Panel value="files">
        <FileTab run={run} chosen={query.get("file")} />
      </Tabs.Panel>
      <Tabs.Panel value="logs">
        <Log key={attempt} run={run} attempt={attempt} isGoing={!run.isFinished && isLatest} />
      </Tabs.Panel>
      <Tabs.Panel value="compare">
        <Compare
          run={run}
          other={query.get("with")}
          choose={(id) =>
            setQuery(id ? { tab: "compare", with: id } : { tab: "compare" }, { replace: true })
          }
        />
      </Tabs.Panel>
    </Tabs>
  );
}

function RunFacts({ run }: { run: Execution }) {
  const { t, name, amount } = useWords();
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, requests } = run.usage;
  const tokens = inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
  return (
    <Facts
      label={t("run.facts")}
      facts={[
        [t("run.duration"), <Took key="took" run={run} />],
        [t("run.cost"), money(run.costMicros)],
        [
          t("run.tokens"),
          <span
            key="tokens"
            title={t("run.tokensDetail", {
              input: amount(inputTokens),
              output: amount(outputTokens),
              cacheRead: amount(cacheReadTokens),
              cacheWrite: amount(cacheWriteTokens),
              requests,
            })}
          >
            {amount(tokens)}
          </span>,
        ],
        [t("run.model"), <code key="model">{run.model ?? "–"}</code>],
        [t("run.trigger"), name("trigger", run.trigger)],
        [t("run.started"), run.startTime ? <Ago key="started" time={run.startTime} /> : "–"],
      ]}
    />
  );
}

/** To the agent's page, as long as there is one. */
function AgentLink({ run }: { run: Execution }) {
  const { t } = useWords();
  const agent = useAgentOf(run);
  return agent ? <Link href={`/agents/${agent.id}`}>{t("run.toAgent")}</Link> : null;
}

/** Failures whose message is what the agent itself or its model said. */
const ITS_OWN_WORDS = new Set(["AgentError", "Refusal", "PromptInvalid"]);

/** Why it waits, or why it failed. */
function Verdict({ run }: { run: Execution }) {
  const { t, name, instant } = useWords();
  if (run.blockedBy.length > 0 && !run.isFinished) {
    return (
      <Callout tone="warn" icon="hand" title={t("run.why")}>
        <ul className={classes.blocked}>
          {run.blockedBy.map((blocked) => (
            <li key={blocked.reason}>
              <strong>{name("reason", blocked.reason)}</strong>{" "}
              <span className={classes.expected}>
                {blocked.estimatedTime
                  ? t("run.expected", { time: instant(blocked.estimatedTime) })
                  : t("run.notExpected")}
              </span>
              <SystemWords text={blocked.message} />
            </li>
          ))}
        </ul>
      </Callout>
    );
  }
  if (run.phase === "Failed") {
    return (
      <Callout tone="bad" icon="alert" title={name("reason", run.reason)}>
        <SystemWords text={run.message} isOpen={ITS_OWN_WORDS.has(run.reason)} />
      </Callout>
    );
  }
  return null;
}

function Details({ run }: { run: Execution }) {
  const { t, instant } = useWords();
  return (
    <Section title={t("run.details")}>
      <dl className={classes.details}>
        <dt>{t("run.created")}</dt>
        <dd>{instant(run.createdTime)}</dd>
        <dt>{t("run.namespace")}</dt>
        <dd>{run.namespace}</dd>
        <dt>{t("run.id")}</dt>
        <dd>
          <Copied text={run.id} />
        </dd>
        <dt>{t("run.correlation")}</dt>
        <dd>
          <Copied text={run.correlationId} />
        </dd>
      </dl>
    </Section>
  );
}
