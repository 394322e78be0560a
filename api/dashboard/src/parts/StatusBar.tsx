import { useEffect } from "react";
import { Link } from "wouter";
import { useIsScripted } from "../api/news";
import { agentOf, useRunCounts } from "../api/queries";
import type { Execution, Report, RunCounts } from "../api/views";
import { useNow } from "../lib/now";
import type { Link as LiveLink } from "../live/frames";
import { retryLive } from "../live/start";
import { useLive } from "../live/state";
import type { World } from "../live/world";
import { setScripted } from "../words/scripted";
import { useWords, type Words } from "../words/words";
import classes from "./StatusBar.module.css";

/** Always says what is going on, also when nobody answers. */
export function StatusBar() {
  const words = useWords();
  const link = useLive((state) => state.link);
  const world = useLive((state) => state.world);
  const isScripted = useIsScripted();
  useEffect(() => setScripted(isScripted), [isScripted]);
  return (
    <section className={classes.bar} aria-label={words.t("status.title")}>
      <Connection link={link} words={words} />
      {world && <Counts words={words} />}
      {isScripted && <span className={classes.script}>{words.t("status.script")}</span>}
      <Heard words={words} />
    </section>
  );
}

/** All runs, not only those that this page has read: the server counts them. */
function Counts({ words }: { words: Words }) {
  const counts = useRunCounts().data;
  const text = counts ? textOf(counts, words) : "";
  if (!text) return null;
  return (
    <Link href="/executions" className={classes.live}>
      {text}
    </Link>
  );
}

function textOf({ going, waiting }: RunCounts, { t, amount }: Words): string {
  if (going + waiting === 0) return t("status.idle");
  const parts = [
    going > 0 ? t("status.live", { count: amount(going) }) : "",
    waiting > 0 ? t("status.waiting", { count: amount(waiting) }) : "",
  ];
  return parts.filter(Boolean).join(" · ");
}

function Connection({ link, words }: { link: LiveLink; words: Words }) {
  const now = useNow();
  const text =
    link.state === "broken"
      ? words.t("status.broken", { ago: words.ago(Math.min(link.since, now), now) })
      : words.t(`status.${link.state}`);
  return (
    <span className={classes.connection} data-state={link.state}>
      <span className={classes.dot} aria-hidden="true" />
      {/* Only the change is announced, not each second of it. */}
      <span className={classes.announced} role="status">
        {link.state === "broken" ? words.t("status.connecting") : text}
      </span>
      <span aria-hidden={link.state !== "broken"}>{text}</span>
      {link.state === "broken" && (
        <button type="button" className={classes.retry} onClick={retryLive}>
          {words.t("status.retryNow")}
        </button>
      )}
      {link.state === "over" && (
        <button type="button" className={classes.retry} onClick={() => location.reload()}>
          {words.t("app.reload")}
        </button>
      )}
    </span>
  );
}

function Heard({ words }: { words: Words }) {
  const now = useNow();
  const heard = useLive((state) => state.heard);
  const world = useLive((state) => state.world);
  if (!world) return null;
  if (!heard) return <span className={classes.heard}>{words.t("status.quiet")}</span>;
  return (
    <span className={classes.heard}>
      <span className={classes.what}>{describe(heard.report, world, words)}</span>
      <span>{words.ago(Math.min(heard.at, now), now)}</span>
    </span>
  );
}

function describe(report: Report, world: World, { t, name }: Words): string {
  switch (report.type) {
    case "execution.changed": {
      const { phase } = report.payload;
      return t("status.heardRun", {
        agent: agentName(report.payload, world),
        phase: name("phase", phase),
      });
    }
    case "execution.output": {
      const run = world.executions.get(report.execution);
      return t("status.heardOutput", { agent: run ? agentName(run, world) : t("run.kind") });
    }
    case "approval.asked":
      return t("status.heardAsk", {
        agent: report.payload.agent,
        what: name("askClass", report.payload.actionClass),
      });
    case "approval.decided":
    case "approval.executed":
    case "approval.outcome_unknown":
      return t("status.heardAnswer", {
        what: name("askClass", report.payload.actionClass),
        state: name("askState", report.payload.state),
      });
    case "agent.changed":
      return t("status.heardAgent", { agent: report.payload.name });
    case "agent.deleted":
      return t("status.heardDeleted", { name: report.payload.name });
    case "conversation.changed":
      return t("status.heardChat", { title: report.payload.title || t("chat.untitled") });
    case "conversation.deleted":
      return t("status.heardChatDeleted");
    default:
      return t("status.quiet");
  }
}

function agentName(run: Execution, world: World): string {
  return agentOf(run, [...world.agents.values()])?.name ?? run.agent;
}
