import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { ApiError } from "../api/client";
import { resourceOf, runsOf, useAgent, useRuns } from "../api/queries";
import type { Agent } from "../api/views";
import { useStart } from "../lib/commands";
import { AgentState } from "../parts/AgentState";
import { Callout } from "../parts/Callout";
import { Facts } from "../parts/Facts";
import { Icon } from "../parts/icons";
import { PageHead, Section } from "../parts/Page";
import { RunList } from "../parts/RunList";
import { Empty, Failure, Refusal, Rows } from "../parts/States";
import { Ago } from "../parts/Times";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./AgentPage.module.css";
import { MissingPage } from "./MissingPage";

/** One agent: what it is, whether it could run, what it did. */
export default function AgentPage({ id }: { id: string }) {
  const agent = useAgent(id);
  if (agent.data) return <Loaded agent={agent.data} />;
  if (agent.isPending) return <Rows count={3} height={110} />;
  if (agent.error instanceof ApiError && agent.error.status === 404) {
    return <MissingPage what="agent" />;
  }
  return <Failure error={agent.error} retry={() => void agent.refetch()} />;
}

function Loaded({ agent }: { agent: Agent }) {
  const { t, amount } = useWords();
  return (
    <>
      <PageHead
        kind={
          <>
            <Link href="/agents">{t("nav.agents")}</Link>
            <AgentState agent={agent} />
          </>
        }
        title={agent.name}
        detail={agent.description || t("agents.noDescription")}
      />
      {agent.isReady === false && (
        <Callout tone="bad" icon="alert" title={t("agent.whyNot")}>
          {agent.readyMessage}
        </Callout>
      )}
      {agent.status === "draft" ? (
        <Draft missing={agent.missing ?? []} />
      ) : (
        <Starter agent={agent} />
      )}
      <Facts
        label={t("run.facts")}
        facts={[
          [t("agent.model"), <code key="model">{agent.model}</code>],
          [t("agent.runs"), amount(agent.totals?.executions ?? 0)],
          [t("runs.cost"), money(agent.totals?.costMicros ?? 0)],
          [t("agent.namespace"), agent.namespace],
          [t("agent.managedBy"), agent.managedBy === "kubectl" ? "kubectl" : t("agent.dashboard")],
          [t("agent.created"), <Ago key="created" time={agent.createdTime} />],
        ]}
      />
      {agent.managedBy === "kubectl" && (
        <p className={classes.readOnly}>
          <Icon name="lock" size={15} />
          {t("agent.readOnlyDetail")}
        </p>
      )}
      <Runs agent={resourceOf(agent)} />
    </>
  );
}

/** What there is to do before it can run. */
function Draft({ missing }: { missing: string[] }) {
  const { t } = useWords();
  return (
    <Callout tone="calm" icon="hand" title={t("agent.draft")}>
      <p>{t("agent.draftDetail")}</p>
      {missing.length > 0 && <p>{t("agent.missing", { fields: missing.join(", ") })}</p>}
    </Callout>
  );
}

/** Run now, with words of the person's own if they like. */
function Starter({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const start = useStart();
  const [input, setInput] = useState<string | null>(null);
  const path = `/api/agents/${encodeURIComponent(agent.id)}/run`;
  return (
    <div className={classes.starter}>
      <Refusal error={start.error} />
      {input !== null && (
        <Textarea
          label={t("agent.input")}
          description={t("agent.inputDetail")}
          autosize
          minRows={3}
          maxRows={14}
          data-autofocus
          value={input}
          onChange={(event) => setInput(event.currentTarget.value)}
        />
      )}
      <div className={classes.buttons}>
        <Button
          leftSection={<Icon name="play" size={16} />}
          loading={start.isPending}
          onClick={() => start.mutate({ path, body: input ? { input } : {} })}
        >
          {t("agent.run")}
        </Button>
        {input === null && (
          <Button variant="default" onClick={() => setInput("")}>
            {t("agent.withInput")}
          </Button>
        )}
      </div>
    </div>
  );
}

function Runs({ agent }: { agent: string }) {
  const { t } = useWords();
  const runs = useRuns({ agent });
  return (
    <Section
      title={t("agent.runs")}
      aside={
        <Link href={`/executions?agent=${encodeURIComponent(agent)}`}>{t("home.allRuns")}</Link>
      }
    >
      <Found runs={runs} />
    </Section>
  );
}

function Found({ runs }: { runs: ReturnType<typeof useRuns> }) {
  const { t } = useWords();
  if (runs.isPending) return <Rows count={3} />;
  if (runs.isError) return <Failure error={runs.error} retry={() => void runs.refetch()} />;
  const all = runsOf(runs.data);
  if (all.length === 0) {
    return <Empty icon="runs" title={t("agent.noRuns")} detail={t("agent.noRunsDetail")} />;
  }
  return <RunList runs={all} label={t("agent.runs")} />;
}
