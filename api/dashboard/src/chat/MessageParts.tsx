import { Link } from "wouter";
import { useAgent } from "../api/queries";
import type { Agent, Message } from "../api/views";
import { spread } from "../lib/spread";
import { AgentState } from "../parts/AgentState";
import { Chart } from "../parts/Chart";
import { Icon } from "../parts/icons";
import { fieldsOf, textAt } from "../transcript/json";
import { ToolStep } from "../transcript/ToolStep";
import { Words } from "../transcript/Words";
import { useWords } from "../words/words";
import { drawingOf } from "./charts";
import type { Part, PartOf } from "./frames";
import classes from "./MessageParts.module.css";
import { Status } from "./MessageStatus";
import { Fires } from "./Schedule";

/**
 * What an answer is made of. The result of a call is folded into the call; that a script answers
 * is said once, and always in the bar at the bottom.
 */
export function Parts({ message, isFirst }: { message: Message; isFirst: boolean }) {
  const isWriting = message.state === "writing";
  return message.parts.map((part, number) =>
    !isFirst && part.type === "status" && part.code === "script" ? null : (
      <OnePart
        // biome-ignore lint/suspicious/noArrayIndexKey: parts are never moved
        key={number}
        part={part}
        message={message}
        isLive={isWriting && number === message.parts.length - 1}
      />
    ),
  );
}

function OnePart({ part, message, isLive }: { part: Part; message: Message; isLive: boolean }) {
  switch (part.type) {
    case "text":
      return <Text text={part.text} isLive={isLive} />;
    case "status":
      return <Status part={part} isLive={isLive} />;
    case "toolCall":
      return <Call call={part} message={message} />;
    case "agentCard":
      return isLatest(part, message) ? <CardLink part={part} /> : null;
    case "schedulePreview":
      return <SchedulePart part={part} />;
    case "chart":
      return <ChartPart part={part} />;
    default:
      return null;
  }
}

/** An agent that was saved several times is shown where it was saved last. */
function isLatest(card: PartOf<"agentCard">, message: Message): boolean {
  return (
    card ===
    message.parts.findLast((part) => part.type === "agentCard" && part.agentId === card.agentId)
  );
}

function Text({ text, isLive }: { text: string; isLive: boolean }) {
  if (!text) return null;
  return (
    <div className={classes.text} data-live={isLive || undefined}>
      <Words text={text} />
    </div>
  );
}

function Call({ call, message }: { call: PartOf<"toolCall">; message: Message }) {
  const { t, name } = useWords();
  const result = message.parts.find((part) => part.type === "result" && part.callId === call.id);
  const found = result?.type === "result" ? result : null;
  const isWriting = message.state === "writing";
  // A run that goes on is told of before its call is done.
  const isEarly = isWriting && found?.execution && found === message.parts.at(-1);
  const input = fieldsOf(call.input);
  return (
    <div>
      <ToolStep
        item={{
          key: call.id,
          parent: null,
          time: null,
          kind: "tool",
          id: call.id,
          name: call.name,
          input,
          draft: "",
          result:
            found && !isEarly
              ? { text: spread(found.text), pictures: [], isError: found.isError }
              : null,
          endTime: null,
        }}
        folder=""
        open={isWriting ? "running" : "cut"}
        said={{ title: name("chatTool", call.name), subject: textAt(input, "name") }}
      />
      {found?.execution && (
        <Link href={`/executions/${found.execution}`} className={classes.run}>
          <Icon name="runs" size={15} />
          {t("chat.openRun")}
        </Link>
      )}
    </div>
  );
}

/** The agent as it is now, in one line: the whole card stands beside the conversation. */
function CardLink({ part }: { part: PartOf<"agentCard"> }) {
  const { t } = useWords();
  const agent = useAgent(part.agentId);
  if (agent.isPending) return null;
  if (!agent.data) return <p className={classes.gone}>{t("chat.agentGone")}</p>;
  return <CardLine agent={agent.data} part={part} />;
}

/** Name and revision are of one time: those that were saved then. */
function CardLine({ agent, part }: { agent: Agent; part: PartOf<"agentCard"> }) {
  const { t } = useWords();
  const isNewest = part.revision === agent.revision;
  return (
    <a href="#agent-card" className={classes.card}>
      <span className={classes.round}>
        <Icon name="agents" size={20} />
      </span>
      <span className={classes.what}>
        <strong>{part.name ?? agent.name}</strong>
        {(part.name || isNewest) && <span>{t("chat.toCard", { revision: part.revision })}</span>}
      </span>
      <AgentState agent={agent} />
    </a>
  );
}

function SchedulePart({ part }: { part: PartOf<"schedulePreview"> }) {
  const { language } = useWords();
  return (
    <section className={classes.schedule} aria-label={part.words[language]}>
      <p className={classes.words}>
        <Icon name="clock" size={18} />
        <span>{part.words[language]}</span>
      </p>
      <Fires zone={part.timeZone} words={part.words[language]} fires={part.fires} />
    </section>
  );
}

function ChartPart({ part }: { part: PartOf<"chart"> }) {
  const { name } = useWords();
  const { unit, kind, series } = drawingOf(part);
  const named = series.map((each) => ({ ...each, name: name("chatChart", each.name) }));
  return (
    <div className={classes.chart}>
      <Chart title={name("chatChart", part.title)} unit={unit} kind={kind} series={named} />
    </div>
  );
}
