import { Button } from "@mantine/core";
import { Link } from "wouter";
import { useWaitingAsks } from "../api/approvals";
import { useNews } from "../api/news";
import { runsOf, useAgents, useRuns } from "../api/queries";
import type { Agent, Execution } from "../api/views";
import { useBegin } from "../chat/begin";
import { Composer } from "../chat/Composer";
import { usePersonId } from "../chat/queries";
import { useLive } from "../live/state";
import { liveRuns } from "../live/world";
import { AgentState } from "../parts/AgentState";
import { Attention, WaitingAsks } from "../parts/Attention";
import { Icon } from "../parts/icons";
import { PageHead, Section } from "../parts/Page";
import { Requests } from "../parts/Requests";
import { RunList } from "../parts/RunList";
import { Samples } from "../parts/Samples";
import { Failure, Rows } from "../parts/States";
import { useWords } from "../words/words";
import classes from "./HomePage.module.css";

const RECENT = 6;
const AGENTS = 6;

/** Where everybody begins: what wants attention, what runs, and examples to try. */
export function HomePage() {
  const runs = useRuns({});
  const news = useNews();
  const asks = useWaitingAsks();
  if (runs.isPending) return <Waiting />;
  if (runs.isError) return <Away error={runs.error} retry={() => void runs.refetch()} />;
  const all = runsOf(runs.data);
  return all.length + news.length + asks.length === 0 ? <Newcomer /> : <Overview runs={all} />;
}

function Waiting() {
  const { t } = useWords();
  return (
    <>
      <PageHead title={t("home.title")} tab="" />
      <Rows count={5} />
    </>
  );
}

function Away({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useWords();
  return (
    <>
      <PageHead title={t("home.title")} tab="" />
      <Failure error={error} retry={retry} />
    </>
  );
}

function Newcomer() {
  const { t } = useWords();
  const begin = useBegin();
  const person = usePersonId();
  return (
    <div className={classes.newcomer}>
      <PageHead title={t("home.welcome")} detail={t("home.welcomeDetail")} tab="" />
      <Composer
        key={person}
        person={person}
        conversation={null}
        say={begin}
        placeholder={t("chat.placeholder")}
        isTall
      />
      <Requests say={begin} />
      <Section title={t("home.samples")}>
        <p className={classes.detail}>{t("home.samplesDetail")}</p>
        <Samples isNarrow />
      </Section>
    </div>
  );
}

function Overview({ runs }: { runs: Execution[] }) {
  const { t } = useWords();
  const news = useNews();
  const asks = useWaitingAsks();
  const failed = new Set(news.map((each) => each.key));
  const world = useLive((state) => state.world);
  // One that goes on for long is in no page of the newest.
  const live = world ? liveRuns(world) : runs.filter((run) => !run.isFinished);
  const recent = runs.filter((run) => run.isFinished && !failed.has(run.id)).slice(0, RECENT);
  return (
    <>
      <PageHead title={t("home.title")} tab="">
        <Button component={Link} href="/chat" leftSection={<Icon name="plus" size={16} />}>
          {t("chat.new")}
        </Button>
      </PageHead>
      <div className={classes.columns}>
        <div>
          {asks.length > 0 && <WaitingAsks asks={asks} />}
          {news.length > 0 && <Attention news={news} />}
          {live.length > 0 && (
            <Section title={t("home.live")}>
              <RunList runs={live} label={t("home.live")} />
            </Section>
          )}
          {recent.length > 0 && (
            <Section
              title={t("home.recent")}
              aside={<Link href="/executions">{t("home.allRuns")}</Link>}
            >
              <RunList runs={recent} label={t("home.recent")} />
            </Section>
          )}
        </div>
        <div>
          <YourAgents />
          <Section title={t("home.samples")}>
            <Samples isNarrow />
          </Section>
        </div>
      </div>
    </>
  );
}

function YourAgents() {
  const { t } = useWords();
  const agents = useAgents();
  if (!agents.data?.length) return null;
  return (
    <Section title={t("home.agents")} aside={<Link href="/agents">{t("home.allAgents")}</Link>}>
      <ul className={classes.agents}>
        {agents.data.slice(0, AGENTS).map((agent) => (
          <AgentLine key={agent.id} agent={agent} />
        ))}
      </ul>
    </Section>
  );
}

function AgentLine({ agent }: { agent: Agent }) {
  return (
    <li>
      <Link href={`/agents/${agent.id}`} className={classes.agent}>
        <span className={classes.name}>{agent.name}</span>
        <AgentState agent={agent} />
      </Link>
    </li>
  );
}
