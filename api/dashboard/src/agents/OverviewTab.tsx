import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { agentPath } from "../api/agents";
import { resourceOf, runsOf, useAgentRuns, type useRuns } from "../api/queries";
import type { Agent, AgentDetail, Execution, Receipt } from "../api/views";
import { useStart } from "../lib/commands";
import { Chart } from "../parts/Chart";
import { Facts } from "../parts/Facts";
import { Icon } from "../parts/icons";
import { Section } from "../parts/Page";
import { Pill } from "../parts/Phase";
import { RunList } from "../parts/RunList";
import { Empty, Failure, Refusal, Rows } from "../parts/States";
import { Ago, OwnZone } from "../parts/Times";
import { WhyEnded } from "../parts/Why";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import { isTree } from "./contents";
import { Fires } from "./Fires";
import classes from "./OverviewTab.module.css";

const FIRES = 5;
const RECEIPTS = 8;

/** How it stands: run it, when it runs next, what it did, what that cost. */
export function OverviewTab({ agent, detail }: { agent: Agent; detail: AgentDetail }) {
  const { t, amount } = useWords();
  const { schedule } = detail.spec;
  const runs = agent.totals?.executions ?? 0;
  const cost = agent.totals?.costMicros ?? 0;
  return (
    <>
      {agent.isOwned && <Starter agent={agent} />}
      <Facts
        label={t("run.facts")}
        facts={[
          [t("agent.model"), <code key="model">{agent.model}</code>],
          [t("agent.runs"), amount(runs)],
          [t("runs.cost"), money(cost)],
          [t("agent.each"), runs > 0 ? money(Math.round(cost / runs)) : "–"],
          [t("agent.managedBy"), agent.managedBy === "kubectl" ? "kubectl" : t("agent.dashboard")],
          [t("agent.created"), <Ago key="created" time={agent.createdTime} />],
        ]}
      />
      {isTree(schedule) && (
        <Section title={t("agent.next")}>
          {agent.status === "active" ? (
            <Fires schedule={schedule} count={FIRES} />
          ) : (
            <p className={classes.hint}>{t("agent.nextLater")}</p>
          )}
        </Section>
      )}
      <Receipts receipts={detail.scheduleRecent} zone={agent.scheduleZone} />
      <Runs agent={agent} />
    </>
  );
}

const TONES = {
  Ran: "good",
  Late: "warn",
  Skipped: "calm",
  Missed: "bad",
  Succeeded: "good",
  Failed: "bad",
  Cancelled: "calm",
  Gone: "calm",
} as const;

/** What became of the last times of its schedule: also of those at which nothing ran. */
function Receipts({
  receipts,
  zone,
}: {
  receipts: readonly Receipt[];
  zone: string | null | undefined;
}) {
  const { t, name, instant } = useWords();
  if (receipts.length === 0) return null;
  return (
    <Section title={t("agent.receipts")}>
      <ul className={classes.receipts}>
        {receipts.slice(0, RECEIPTS).map((receipt) => (
          <li key={receipt.scheduledTime}>
            <Pill tone={TONES[receipt.result ?? receipt.outcome]}>
              {receipt.result ? name("phase", receipt.result) : t(`outcome.${receipt.outcome}`)}
            </Pill>
            <span>
              {instant(receipt.scheduledTime)}
              {receipt.count > 1 && ` · ${t("agent.times", { count: receipt.count })}`}
            </span>
            {zone && <OwnZone time={receipt.scheduledTime} zone={zone} className={classes.hint} />}
            <span className={classes.hint}>
              <WhyEnded receipt={receipt} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Run now, with words of the person's own if they like; what is not active runs as a test. */
function Starter({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const start = useStart();
  const [input, setInput] = useState<string | null>(null);
  const isOwn = agent.managedBy === "dashboard";
  const isActive = agent.status === "active";
  const isNewer = isOwn && agent.revision !== agent.appliedRevision;
  const begin = (how: "run" | "test") =>
    start.mutate({ path: `${agentPath(agent.id)}/${how}`, body: input ? { input } : {} });
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
        {isActive && (
          <Button
            leftSection={<Icon name="play" size={16} />}
            loading={start.isPending}
            onClick={() => begin("run")}
          >
            {t("agent.run")}
          </Button>
        )}
        {isOwn && (!isActive || isNewer) && (
          <Button
            variant={isActive ? "default" : "filled"}
            loading={start.isPending}
            disabled={agent.missing.length > 0}
            onClick={() => begin("test")}
          >
            {t("agent.test")}
          </Button>
        )}
        {input === null && (
          <Button variant="default" onClick={() => setInput("")}>
            {t("agent.withInput")}
          </Button>
        )}
      </div>
    </div>
  );
}

function Runs({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const resource = resourceOf(agent);
  const runs = useAgentRuns(agent);
  const all = runsOf(runs.data);
  const ended = all.filter((run) => run.isFinished && run.startTime);
  const points = ended.map((run) => [Date.parse(run.createdTime) / 1000, run.costMicros] as const);
  return (
    <>
      {points.length > 1 && (
        <div className={classes.chart}>
          <Chart
            title={t("agent.costs")}
            unit="micros"
            kind="line"
            series={[{ name: t("runs.cost"), points }]}
          />
        </div>
      )}
      <Section
        title={t("agent.runs")}
        aside={
          <Link href={`/executions?agent=${encodeURIComponent(resource)}`}>
            {t("home.allRuns")}
          </Link>
        }
      >
        <Found runs={runs} all={all} />
      </Section>
    </>
  );
}

function Found({ runs, all }: { runs: ReturnType<typeof useRuns>; all: Execution[] }) {
  const { t } = useWords();
  if (runs.isLoading) return <Rows count={3} />;
  if (runs.isError) return <Failure error={runs.error} retry={() => void runs.refetch()} />;
  if (all.length === 0) {
    return <Empty icon="runs" title={t("agent.noRuns")} detail={t("agent.noRunsDetail")} />;
  }
  return <RunList runs={all} label={t("agent.runs")} />;
}
