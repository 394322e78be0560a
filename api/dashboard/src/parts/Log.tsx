import { type ReactNode, useMemo } from "react";
import { ApiError } from "../api/client";
import { useTranscript } from "../api/queries";
import { LOG_MOST, logPath, usePodLog } from "../api/runs";
import type { Execution } from "../api/views";
import { useFollow } from "../lib/follow";
import { type LogBlock, type LogLine, logOfText } from "../transcript/log";
import { bytes } from "../words/formats";
import { useWords } from "../words/words";
import { FollowedEnd } from "./FollowedEnd";
import classes from "./Log.module.css";
import { Printed, PrintedLines } from "./Printed";
import { ReadOn } from "./ReadOn";
import { Empty, Failure, Rows } from "./States";
import { type RowPlace, VirtualRows } from "./VirtualRows";

interface Props {
  run: Execution;
  attempt: number;
  isGoing: boolean;
}

/** What the programs of an attempt print, as they print it. */
export function Log(props: Props) {
  const log = useLog(props);
  if (log.state === "loading") return <Rows count={1} height={220} />;
  if (log.state === "failed") return <Failure error={log.error} retry={log.retry} />;
  return <Lines {...props} blocks={log.blocks} more={log.more} />;
}

type LogState =
  | { state: "loading" }
  | { state: "failed"; error: Error | null; retry: () => void }
  | { state: "read"; blocks: readonly LogBlock[]; more: ReactNode };

/** From the transcript; from the pod while no runner delivers, or where none ever does. */
function useLog({ run, attempt, isGoing }: Props): LogState {
  const transcript = useTranscript(run.id, attempt);
  const isUntold = transcript.data?.next === 0;
  const pod = usePodLog(run, attempt, isGoing, isUntold);
  const text = pod.data?.text ?? "";
  const blocks = useMemo(() => logOfText(text), [text]);
  if (!isUntold) return toldOf(transcript);
  if (pod.isPending) return { state: "loading" };
  if (pod.error instanceof ApiError && pod.error.status === 404) {
    return { state: "read", blocks: [], more: null };
  }
  if (pod.error) return { state: "failed", error: pod.error, retry: () => void pod.refetch() };
  return { state: "read", blocks, more: pod.data.isCut ? <Cut /> : null };
}

function toldOf(transcript: ReturnType<typeof useTranscript>): LogState {
  const readOn = () => void transcript.refetch();
  if (transcript.isPending) return { state: "loading" };
  if (!transcript.data) return { state: "failed", error: transcript.error, retry: readOn };
  const { timeline, rest } = transcript.data;
  const more = rest !== null && <ReadOn isLoading={transcript.isFetching} load={readOn} />;
  return { state: "read", blocks: timeline.log, more };
}

function Cut() {
  const { t } = useWords();
  return <p className={classes.cut}>{t("logs.cut", { size: bytes(LOG_MOST) })}</p>;
}

/** The same from nothing on, wherever it comes from: whoever is at the end stays there. */
function Lines({
  run,
  attempt,
  isGoing,
  blocks,
  more,
}: Props & { blocks: readonly LogBlock[]; more: ReactNode }) {
  const { t } = useWords();
  const { box, end, isAway, isAtEnd, jump } = useFollow(isGoing);
  return (
    <section aria-label={t("logs.label", { number: attempt })}>
      {blocks.length > 0 && (
        <div className={classes.bar}>
          <a href={logPath(run.id, attempt)} target="_blank" rel="noreferrer">
            {t("logs.open")}
          </a>
        </div>
      )}
      <div ref={box}>
        {blocks.length > 0 ? (
          <VirtualRows
            className={classes.log}
            rows={blocks}
            keyOf={keyOf}
            height={heightOf}
            isAtEnd={isAtEnd}
            draw={draw}
          />
        ) : isGoing ? (
          <Empty icon="terminal" title={t("logs.nothingYet")} detail={t("logs.nothingYetDetail")} />
        ) : (
          <Empty icon="terminal" title={t("logs.none")} detail={t("logs.noneDetail")} />
        )}
      </div>
      {more}
      <FollowedEnd end={end} isLeft={isGoing && isAway} label={t("logs.follow")} jump={jump} />
    </section>
  );
}

const LINE = 20;

const keyOf = (block: LogBlock) => block.first;
const heightOf = (block: LogBlock) => block.lines.length * LINE;

function draw(block: LogBlock, { index, ref }: RowPlace) {
  return (
    <li key={block.first} ref={ref} data-index={index} className={classes.block}>
      {runsOf(block.lines).map(({ at, lines }) => (
        <LogLines key={at} lines={lines} />
      ))}
    </li>
  );
}

/** Lines of one kind that follow each other are drawn as one text. */
function runsOf(lines: readonly LogLine[]): { at: number; lines: LogLine[] }[] {
  const runs: { at: number; lines: LogLine[] }[] = [];
  lines.forEach((line, at) => {
    const last = runs.at(-1);
    if (last && last.lines[0]?.kind === line.kind) last.lines.push(line);
    else runs.push({ at, lines: [line] });
  });
  return runs;
}

function LogLines({ lines }: { lines: readonly LogLine[] }) {
  const { t } = useWords();
  const kind = lines[0]?.kind;
  if (kind === "stdout" || kind === "stderr") {
    return (
      <pre className={classes.lines} data-stream={kind}>
        <PrintedLines lines={lines.map((line) => ("text" in line ? line.text : ""))} />
      </pre>
    );
  }
  return lines.map((line, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines are never moved
    <p key={at} className={classes.note}>
      {line.kind === "cut" && t("logs.leftOut", { size: bytes(line.bytes) })}
      {line.kind === "lost" && t("logs.lost", { count: line.count })}
      {line.kind === "note" && <Printed text={line.text} />}
    </p>
  ));
}
