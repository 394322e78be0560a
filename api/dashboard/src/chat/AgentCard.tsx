import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { ActivateDialog } from "../agents/ActivateDialog";
import { Cost, Missing, Touches, Warnings } from "../agents/Outlook";
import { agentPath, usePreview } from "../api/agents";
import { useAgent, useRun } from "../api/queries";
import type { Agent, SchedulePreview } from "../api/views";
import { useCommand } from "../lib/commands";
import { visible } from "../lib/visible";
import { AgentState } from "../parts/AgentState";
import { Callout } from "../parts/Callout";
import { Icon } from "../parts/icons";
import { Phase } from "../parts/Phase";
import { Refusal, Rows } from "../parts/States";
import { Took } from "../parts/Times";
import { WhyNotReady } from "../parts/Why";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./AgentCard.module.css";
import { useTest, useTestRun } from "./queries";
import { Fires } from "./Schedule";

/** The agent of a conversation as it is now. Only a press of the person's activates it. */
export function AgentCard({ id, testRun }: { id: string | null; testRun: string | null }) {
  const { t } = useWords();
  return (
    <section id="agent-card" className={classes.card} aria-label={t("card.title")}>
      {id ? <Known key={id} id={id} testRun={testRun} /> : <Nobody />}
    </section>
  );
}

function Nobody() {
  const { t } = useWords();
  return (
    <div className={classes.nobody}>
      <Icon name="agents" size={30} />
      <p>{t("card.empty")}</p>
    </div>
  );
}

function Known({ id, testRun }: { id: string; testRun: string | null }) {
  const { t } = useWords();
  const agent = useAgent(id);
  if (agent.isPending) return <Rows count={3} height={48} />;
  if (!agent.data) return <p className={classes.muted}>{t("chat.agentGone")}</p>;
  return <Loaded agent={agent.data} testRun={testRun} />;
}

function Loaded({ agent, testRun }: { agent: Agent; testRun: string | null }) {
  const { t } = useWords();
  const { revision, appliedRevision, status, totals } = agent;
  const preview = usePreview(
    { agent: agent.id },
    `card ${revision} ${appliedRevision} ${status} ${totals?.executions}`,
  );
  const run = useTestRun(agent.id, testRun);
  return (
    <>
      <div className={classes.head}>
        <div className={classes.top}>
          <AgentState agent={agent} />
          <Link href={`/agents/${agent.id}`}>{t("card.open")}</Link>
        </div>
        <h2>{agent.name}</h2>
        <p className={classes.muted}>{agent.description || t("agents.noDescription")}</p>
      </div>
      {agent.isReady === false && (
        <Callout tone="bad" icon="alert" title={t("agent.whyNot")}>
          <WhyNotReady agent={agent} />
        </Callout>
      )}
      <Missing missing={agent.missing ?? []} />
      {preview.data && <Warnings warnings={preview.data.warnings} />}
      {agent.managedBy === "dashboard" && <Buttons agent={agent} testRun={testRun} />}
      {preview.data && (
        <Part title={t("card.schedule")}>
          <Schedule schedule={preview.data.schedule ?? null} />
        </Part>
      )}
      <Part title={t("card.lastTest")}>
        {run ? <TestRun id={run} /> : <p className={classes.muted}>{t("card.noTest")}</p>}
      </Part>
      {preview.data && (
        <div className={classes.part}>
          <Cost preview={preview.data} />
        </div>
      )}
      {preview.data?.touches && (
        <div className={classes.part}>
          <Touches touches={preview.data.touches} />
        </div>
      )}
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={classes.part}>
      <h3>{title}</h3>
      {children}
    </div>
  );
}

function Buttons({ agent, testRun }: { agent: Agent; testRun: string | null }) {
  const { t } = useWords();
  const [isAsking, setAsking] = useState(false);
  const test = useTest(agent.id, testRun);
  const deactivate = useCommand();
  const isWhole = (agent.missing ?? []).length === 0;
  const isActive = agent.status === "active";
  const isBehind = isActive && agent.appliedRevision !== agent.revision;
  return (
    <>
      <div className={classes.buttons}>
        {(!isActive || isBehind) && (
          <Button
            disabled={!isWhole}
            onClick={() => setAsking(true)}
            leftSection={<Icon name="check" size={16} />}
          >
            {isBehind ? t("card.activateAgain") : t("card.activate")}
          </Button>
        )}
        <Button
          variant="default"
          disabled={!isWhole}
          loading={test.isPending}
          onClick={() => test.mutate()}
          leftSection={<Icon name="play" size={15} />}
        >
          {t("card.test")}
        </Button>
        {isActive && (
          <Button
            variant="default"
            loading={deactivate.isPending}
            onClick={() => deactivate.mutate(`${agentPath(agent.id)}/deactivate`)}
          >
            {t("card.deactivate")}
          </Button>
        )}
      </div>
      <Refusal error={test.error ?? deactivate.error} />
      <ActivateDialog agent={agent} isOpen={isAsking} close={() => setAsking(false)} />
    </>
  );
}

function Schedule({ schedule }: { schedule: SchedulePreview | null }) {
  const { t, language } = useWords();
  if (!schedule) return <p className={classes.muted}>{t("card.noSchedule")}</p>;
  return (
    <>
      <p className={classes.words}>{schedule.words[language]}</p>
      <Fires zone={schedule.timeZone} words={schedule.words[language]} fires={schedule.fires} />
    </>
  );
}

/** Live: the run moves on with its reports. */
function TestRun({ id }: { id: string }) {
  const { t } = useWords();
  const run = useRun(id);
  if (!run.data) return null;
  const { data } = run;
  const words = data.result ?? data.message;
  return (
    <div className={classes.test}>
      <p className={classes.testHead}>
        <Phase phase={data.phase} />
        <span>
          <Took run={data} />
        </span>
        <span>{money(data.costMicros)}</span>
      </p>
      {words && <p className={classes.result}>{visible(words)}</p>}
      <Link href={`/executions/${id}`}>{t("chat.openRun")}</Link>
    </div>
  );
}
