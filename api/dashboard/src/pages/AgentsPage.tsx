import { TextInput } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { useAgents } from "../api/queries";
import type { Agent } from "../api/views";
import { AgentState } from "../parts/AgentState";
import { Icon } from "../parts/icons";
import { PageHead } from "../parts/Page";
import { Empty, Failure, Rows } from "../parts/States";
import { useWords } from "../words/words";
import classes from "./AgentsPage.module.css";

/** All agents, and whether they could run. */
export default function AgentsPage() {
  const { t } = useWords();
  const [search, setSearch] = useState("");
  return (
    <>
      <PageHead title={t("agents.title")} detail={t("agents.detail")} />
      <TextInput
        className={classes.search}
        aria-label={t("agents.search")}
        placeholder={t("agents.search")}
        leftSection={<Icon name="search" size={17} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <Agents search={search.trim().toLowerCase()} />
    </>
  );
}

function Agents({ search }: { search: string }) {
  const { t } = useWords();
  const agents = useAgents();
  if (agents.isPending) return <Rows count={3} height={120} />;
  if (agents.isError) return <Failure error={agents.error} retry={() => void agents.refetch()} />;
  if (agents.data.length === 0) {
    return (
      <Empty icon="agents" title={t("agents.emptyTitle")} detail={t("agents.emptyDetail")}>
        <Link href="/">{t("missing.home")}</Link>
      </Empty>
    );
  }
  const found = agents.data.filter((agent) =>
    `${agent.name} ${agent.description}`.toLowerCase().includes(search),
  );
  if (found.length === 0) {
    return (
      <Empty icon="search" title={t("agents.filteredTitle")} detail={t("agents.filteredDetail")} />
    );
  }
  return (
    <ul className={classes.cards} aria-label={t("agents.title")}>
      {found.map((agent) => (
        <Card key={agent.id} agent={agent} />
      ))}
    </ul>
  );
}

function Card({ agent }: { agent: Agent }) {
  const { t } = useWords();
  return (
    <li>
      <Link href={`/agents/${agent.id}`} className={classes.card}>
        <span className={classes.top}>
          <span className={classes.name}>{agent.name}</span>
          <AgentState agent={agent} />
        </span>
        <span className={classes.description}>
          {agent.description || t("agents.noDescription")}
        </span>
        <span className={classes.facts}>
          <span>{agent.model}</span>
          {agent.managedBy === "kubectl" && (
            <span className={classes.readOnly}>
              <Icon name="lock" size={14} />
              {t("agent.readOnly")}
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}
