import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useIntersection } from "@mantine/hooks";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { AgentMenu } from "../agents/AgentMenu";
import { NewAgent } from "../agents/NewAgent";
import { costsOf, useRecentRuns } from "../agents/recent";
import { useAgents } from "../api/queries";
import type { Agent, Execution } from "../api/views";
import { AgentState } from "../parts/AgentState";
import { Icon } from "../parts/icons";
import { PageHead } from "../parts/Page";
import { Phase } from "../parts/Phase";
import { Sparkline } from "../parts/Sparkline";
import { Empty, Failure, Rows } from "../parts/States";
import { Ago, Ahead, OwnZone } from "../parts/Times";
import { useWords } from "../words/words";
import classes from "./AgentsPage.module.css";

const STATUSES = ["all", "active", "draft", "inactive"] as const;
type Status = (typeof STATUSES)[number];

/** All agents: whether they could run, when they will, how it went, what it cost. */
export default function AgentsPage() {
  const { t } = useWords();
  const [query, setQuery] = useSearchParams();
  const [making, setMaking] = useState<"blank" | "yaml" | null>(null);
  const search = query.get("q") ?? "";
  const status = STATUSES.find((each) => each === query.get("status")) ?? "all";
  const choose = (name: string, value: string) =>
    setQuery(
      (before) => {
        const after = new URLSearchParams(before);
        if (value && value !== "all") after.set(name, value);
        else after.delete(name);
        return after;
      },
      { replace: true },
    );
  return (
    <>
      <PageHead title={t("agents.title")} detail={t("agents.detail")}>
        <Button variant="default" onClick={() => setMaking("yaml")}>
          {t("agents.import")}
        </Button>
        <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking("blank")}>
          {t("agents.new")}
        </Button>
      </PageHead>
      <div className={classes.filters}>
        <TextInput
          className={classes.search}
          aria-label={t("agents.search")}
          placeholder={t("agents.search")}
          leftSection={<Icon name="search" size={17} />}
          value={search}
          onChange={(event) => choose("q", event.currentTarget.value)}
        />
        <SegmentedControl
          aria-label={t("agents.status")}
          value={status}
          onChange={(next) => choose("status", next)}
          data={STATUSES.map((each) => ({ value: each, label: t(`agents.only.${each}`) }))}
        />
      </div>
      <Agents search={search.trim().toLowerCase()} status={status} />
      <NewAgent kind={making} close={() => setMaking(null)} />
    </>
  );
}

function Agents({ search, status }: { search: string; status: Status }) {
  const { t } = useWords();
  const agents = useAgents();
  if (agents.isPending) return <Rows count={4} height={74} />;
  if (agents.isError) return <Failure error={agents.error} retry={() => void agents.refetch()} />;
  if (agents.data.length === 0) {
    return (
      <Empty icon="agents" title={t("agents.emptyTitle")} detail={t("agents.emptyDetail")}>
        <Link href="/">{t("missing.home")}</Link>
      </Empty>
    );
  }
  const found = agents.data.filter((agent) => isWanted(agent, search, status));
  if (found.length === 0) {
    return (
      <Empty icon="search" title={t("agents.filteredTitle")} detail={t("agents.filteredDetail")} />
    );
  }
  return (
    <ul className={classes.list} aria-label={t("agents.title")}>
      {found.map((agent) => (
        <Row key={agent.id} agent={agent} />
      ))}
    </ul>
  );
}

function isWanted(agent: Agent, search: string, status: Status): boolean {
  const text = `${agent.name} ${agent.description} ${agent.resource}`.toLowerCase();
  return text.includes(search) && (status === "all" || agent.status === status);
}

function Row({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const { ref, entry } = useIntersection({ rootMargin: "200px" });
  return (
    <li ref={ref} className={classes.row}>
      <div className={classes.what}>
        <Link href={`/agents/${agent.id}`} className={classes.name}>
          {agent.name}
        </Link>
        <AgentState agent={agent} />
        <span className={classes.description}>
          {agent.description || t("agents.noDescription")}
        </span>
        {agent.managedBy === "kubectl" && (
          <span className={classes.readOnly}>
            <Icon name="lock" size={14} />
            {t("agent.readOnly")}
          </span>
        )}
      </div>
      {entry?.isIntersecting ? <Figures agent={agent} /> : <span className={classes.figures} />}
      <AgentMenu agent={agent} />
    </li>
  );
}

/** Read once the row comes into view: there may be many. */
function Figures({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const runs = useRecentRuns(agent);
  return (
    <dl className={classes.figures}>
      <div>
        <dt>{t("agents.next")}</dt>
        <dd>
          <Next agent={agent} />
        </dd>
      </div>
      <div>
        <dt>{t("agents.last")}</dt>
        <dd>
          <Last run={runs[0]} />
        </dd>
      </div>
      <div>
        <dt>{t("runs.cost")}</dt>
        <dd>
          <Sparkline costs={costsOf(runs)} />
        </dd>
      </div>
    </dl>
  );
}

function Next({ agent }: { agent: Agent }) {
  const { t, language } = useWords();
  const { nextTime, scheduleZone } = agent;
  if (nextTime) {
    return (
      <>
        <Ahead time={nextTime} />
        {scheduleZone && <OwnZone time={nextTime} zone={scheduleZone} className={classes.own} />}
      </>
    );
  }
  const words = agent.schedulePaused ? t("agent.paused") : agent.schedule?.[language];
  return <span className={classes.none}>{words ?? t("agents.byHand")}</span>;
}

function Last({ run }: { run: Execution | undefined }) {
  if (!run) return <span className={classes.none}>–</span>;
  return (
    <Link href={`/executions/${run.id}`} className={classes.last}>
      <Phase phase={run.phase} />
      <Ago time={run.completionTime ?? run.startTime ?? run.createdTime} />
    </Link>
  );
}
