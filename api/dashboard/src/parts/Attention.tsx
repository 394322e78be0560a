import { Button } from "@mantine/core";
import { Link } from "wouter";
import type { Approval } from "../api/views";
import { AskList } from "../approvals/AskList";
import type { News } from "../lib/news";
import { markAllSeen, markSeen } from "../lib/seen";
import { useWords } from "../words/words";
import classes from "./Attention.module.css";
import { Section } from "./Page";
import { Pill } from "./Phase";
import { RunList } from "./RunList";
import { Ago, OwnZone } from "./Times";
import { WhyEnded } from "./Why";

const ASKS = 5;

/** What waits for the person: it stays until somebody has decided, seen or not. */
export function WaitingAsks({ asks }: { asks: Approval[] }) {
  const { t } = useWords();
  return (
    <Section
      title={t("approvals.attention")}
      aside={<Link href="/approvals">{t("approvals.all")}</Link>}
    >
      <AskList asks={asks.slice(0, ASKS)} label={t("approvals.attention")} />
    </Section>
  );
}

/** What failed, was paused or missed since somebody looked. */
export function Attention({ news }: { news: News[] }) {
  const { t } = useWords();
  const failed = news.flatMap((each) => (each.kind === "failed" ? [each.run] : []));
  const schedules = news.filter((each) => each.kind !== "failed");
  return (
    <Section
      title={t("home.attention")}
      aside={
        <Button flex="none" variant="subtle" color="gray" size="compact-sm" onClick={markAllSeen}>
          {t("home.seen")}
        </Button>
      }
    >
      <div className={classes.attention}>
        {schedules.length > 0 && (
          <ul className={classes.schedules} aria-label={t("home.schedules")}>
            {schedules.map((each) => (
              <ScheduleNews key={each.key} news={each} />
            ))}
          </ul>
        )}
        {failed.length > 0 && <RunList runs={failed} label={t("home.failed")} />}
      </div>
    </Section>
  );
}

function ScheduleNews({ news }: { news: Exclude<News, { kind: "failed" }> }) {
  const { t } = useWords();
  return (
    <li>
      <Link
        href={`/agents/${news.agent.id}`}
        className={classes.line}
        onClick={() => markSeen(news.key)}
      >
        <Pill tone="warn">{t(`home.news.${news.kind}`)}</Pill>
        <span className={classes.what}>
          <span className={classes.name}>{news.agent.name}</span>
          <span className={classes.why}>
            <Why news={news} />
          </span>
        </span>
        <span className={classes.time}>
          <Ago time={news.time} />
        </span>
      </Link>
    </li>
  );
}

function Why({ news }: { news: Exclude<News, { kind: "failed" }> }) {
  const { t, name, instant } = useWords();
  if (news.kind === "paused") return name("reason", news.reason);
  const { count, scheduledTime } = news.receipt;
  const time = instant(scheduledTime);
  const what = count > 1 ? t("home.missedMany", { count, time }) : t("home.missedOne", { time });
  const zone = news.agent.scheduleZone;
  return (
    <>
      {what}: <WhyEnded receipt={news.receipt} />
      {zone && <OwnZone time={scheduledTime} zone={zone} className={classes.own} />}
    </>
  );
}
