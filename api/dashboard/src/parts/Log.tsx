import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { useTranscript } from "../api/queries";
import { LOG_MOST, logPath, usePodLog } from "../api/runs";
import type { Execution } from "../api/views";
import { useFollow } from "../lib/follow";
import { type LogBlock, type LogLine, logOfText } from "../transcript/log";
import { bytes } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./Log.module.css";
import { Printed, PrintedLines } from "./Printed";
import { Empty, Failure, Rows } from "./States";
import { type RowPlace, VirtualRows } from "./VirtualRows";

interface Props {
  run: Execution;
  attempt: number;
  isGoing: boolean;
}

/** What the programs of an attempt print, as they print it. */
export function Log({ run, attempt, isGoing }: Props) {
  const transcript = useTranscript(run.id, attempt);
  if (transcript.isPending) return <Rows count={1} height={220} />;
  if (!transcript.data) {
    return <Failure error={transcript.error} retry={() => void transcript.refetch()} />;
  }
  const { next, rest, timeline } = transcript.data;
  if (next === 0) return <PodLog run={run} attempt={attempt} isGoing={isGoing} />;
  const readOn = rest === null ? null : () => void transcript.refetch();
  return (
    <Lines
      run={run}
      attempt={attempt}
      isGoing={isGoing}
      blocks={timeline.log}
      more={readOn && <More isLoading={transcript.isFetching} load={readOn} />}
    />
  );
}

/** While no runner delivers, or where none ever does. */
function PodLog({ run, attempt, isGoing }: Props) {
  const { t } = useWords();
  const log = usePodLog(run, attempt, isGoing);
  if (log.isPending) return <Rows count={1} height={220} />;
  const isGone = log.error instanceof ApiError && log.error.status === 404;
  if (log.isError && !isGone) return <Failure error={log.error} retry={() => void log.refetch()} />;
  return (
    <Lines
      run={run}
      attempt={attempt}
      isGoing={isGoing}
      blocks={isGone ? [] : logOfText(log.data?.text ?? "")}
      more={
        log.data?.isCut && <p className={classes.cut}>{t("logs.cut", { size: bytes(LOG_MOST) })}</p>
      }
    />
  );
}

function More({ isLoading, load }: { isLoading: boolean; load: () => void }) {
  const { t } = useWords();
  return (
    <Button mt="md" variant="default" loading={isLoading} onClick={load}>
      {t("steps.more")}
    </Button>
  );
}

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
      <div ref={end} className={classes.end} />
      {isGoing && isAway && (
        <Button className={classes.jump} size="xs" radius="xl" onClick={jump}>
          {t("logs.follow")}
        </Button>
      )}
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
