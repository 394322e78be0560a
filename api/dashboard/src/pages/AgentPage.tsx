import { Button, Tabs } from "@mantine/core";
import { Suspense, useState } from "react";
import { Link, useSearchParams } from "wouter";
import { ActivateDialog, Drift } from "../agents/ActivateDialog";
import { AgentMenu } from "../agents/AgentMenu";
import { type Revision, revisionOf } from "../agents/contents";
import { EditForm } from "../agents/EditForm";
import { EditTab } from "../agents/EditTab";
import { beginEditing } from "../agents/editing";
import { FormProvider } from "../agents/form";
import { HistoryTab } from "../agents/HistoryTab";
import { Missing } from "../agents/Outlook";
import { OverviewTab } from "../agents/OverviewTab";
import { useEditing, useYaml } from "../agents/useEditing";
import { YamlTab } from "../agents/YamlTab";
import { useAgentDetail } from "../api/agents";
import { ApiError } from "../api/client";
import { useAgent } from "../api/queries";
import type { Agent, AgentDetail } from "../api/views";
import { fetched } from "../lib/fetched";
import { AgentState } from "../parts/AgentState";
import { Callout } from "../parts/Callout";
import { Icon } from "../parts/icons";
import { PageHead } from "../parts/Page";
import { Failure, Rows } from "../parts/States";
import { WhyNotReady } from "../parts/Why";
import { useWords } from "../words/words";
import classes from "./AgentPage.module.css";
import { MissingPage } from "./MissingPage";

const WebhooksTab = fetched(() => import("../agents/WebhooksTab"));

const TABS = ["overview", "edit", "yaml", "history", "webhooks"] as const;
type Tab = (typeof TABS)[number];

/** One agent: how it stands, what it is, and everything that it was. */
export default function AgentPage({ id }: { id: string }) {
  const agent = useAgent(id);
  const detail = useAgentDetail(id);
  if (agent.data && detail.data) return <Loaded agent={agent.data} detail={detail.data} />;
  const failed = [agent, detail].find((each) => each.isError);
  if (!failed) return <Rows count={3} height={110} />;
  if (failed.error instanceof ApiError && failed.error.status === 404) {
    return <MissingPage what="agent" />;
  }
  return <Failure error={failed.error} retry={() => void failed.refetch()} />;
}

function Loaded({ agent, detail }: { agent: Agent; detail: AgentDetail }) {
  const { t } = useWords();
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
      >
        {agent.managedBy === "dashboard" && <Activate agent={agent} />}
        <AgentMenu agent={agent} />
      </PageHead>
      <Notices agent={agent} />
      <AgentTabs agent={agent} detail={detail} />
    </>
  );
}

/** What keeps it from running as it was written. */
function Notices({ agent }: { agent: Agent }) {
  const { t, name } = useWords();
  const isWaiting = !!agent.appliedRevision && agent.revision !== agent.appliedRevision;
  return (
    <>
      {agent.isReady === false && (
        <Callout tone="bad" icon="alert" title={t("agent.whyNot")}>
          <WhyNotReady agent={agent} />
        </Callout>
      )}
      {agent.schedulePaused && (
        <Callout tone="warn" icon="clock" title={t("agent.paused")}>
          <strong>{name("reason", agent.schedulePaused.reason)}</strong>{" "}
          {t(agent.managedBy === "kubectl" ? "agent.pausedElsewhere" : "agent.pausedDetail")}
        </Callout>
      )}
      {agent.managedBy === "kubectl" && (
        <Callout tone="calm" icon="lock" title={t("agent.readOnly")}>
          {t(agent.isOwned ? "agent.readOnlyDetail" : "agent.nobodysDetail")}
        </Callout>
      )}
      {agent.status === "draft" && (
        <Callout tone="calm" icon="hand" title={t("agent.draft")}>
          <p className={classes.said}>{t("agent.draftDetail")}</p>
          <Missing missing={agent.missing} />
        </Callout>
      )}
      {agent.status !== "draft" && (isWaiting || agent.drift.length > 0) && (
        <Callout tone="warn" icon="hand" title={t("agent.waiting")}>
          {isWaiting && (
            <p className={classes.said}>
              {t("agent.waitingDetail", {
                newest: agent.revision ?? 0,
                applied: agent.appliedRevision ?? 0,
              })}
            </p>
          )}
          <Drift agent={agent} />
        </Callout>
      )}
    </>
  );
}

function Activate({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  const isApplied = agent.status === "active" && agent.revision === agent.appliedRevision;
  if (isApplied && agent.drift.length === 0 && !isOpen) return null;
  return (
    <>
      <Button
        leftSection={<Icon name="check" size={16} />}
        disabled={agent.missing.length > 0}
        onClick={() => setOpen(true)}
      >
        {t("activate.open")}
      </Button>
      <ActivateDialog agent={agent} isOpen={isOpen} close={() => setOpen(false)} />
    </>
  );
}

function AgentTabs({ agent, detail }: { agent: Agent; detail: AgentDetail }) {
  const { t } = useWords();
  const [query, setQuery] = useSearchParams();
  const own = revisionOf(detail);
  const tabs = TABS.filter(
    (tab) => (own || tab !== "history") && (agent.isOwned || tab !== "webhooks"),
  );
  const tab = tabs.find((each) => each === query.get("tab")) ?? "overview";
  const choose = (next: string | null) =>
    setQuery(next && next !== "overview" ? { tab: next } : {}, { replace: true });
  const shared = { agent, detail, tab };
  return (
    <Tabs value={tab} onChange={choose} keepMounted={false}>
      <Tabs.List className={classes.tabs} aria-label={agent.name}>
        {tabs.map((each) => (
          <Tabs.Tab key={each} value={each}>
            {own || each !== "edit" ? t(`tab.${each}`) : t("tab.look")}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={tab}>
        <Suspense fallback={<Rows count={2} />}>
          {own ? <Own {...shared} latest={own} /> : <Foreign {...shared} />}
        </Suspense>
      </Tabs.Panel>
    </Tabs>
  );
}

interface Shared {
  agent: Agent;
  detail: AgentDetail;
  tab: Tab;
}

/** What is being written stays while other tabs of the page are looked at. */
function Own({ agent, detail, tab, latest }: Shared & { latest: Revision }) {
  const draft = useEditing(agent.id, latest);
  const [yaml, setYaml] = useYaml(agent.id);
  if (tab === "edit") return <EditTab id={agent.id} latest={latest} draft={draft} />;
  if (tab === "yaml") return <YamlTab agent={detail} text={yaml} setText={setYaml} />;
  if (tab === "webhooks") return <WebhooksTab agent={agent} />;
  if (tab === "history") return <HistoryTab agent={agent} />;
  return <OverviewTab agent={agent} detail={detail} />;
}

/** One that is changed elsewhere: to look at, to run and to copy. */
function Foreign({ agent, detail, tab }: Shared) {
  const { name, description, spec } = detail;
  if (tab === "yaml") return <YamlTab agent={detail} text={null} setText={() => undefined} />;
  if (tab === "webhooks") return <WebhooksTab agent={agent} />;
  if (tab !== "edit") return <OverviewTab agent={agent} detail={detail} />;
  const editing = beginEditing({ number: 0, content: { name, description, spec } });
  const form = { editing, isLocked: true, faults: new Map(), errors: [], change: () => undefined };
  return (
    <FormProvider value={form}>
      <EditForm />
    </FormProvider>
  );
}
