import { memo, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { useTranscript } from "../api/queries";
import type { Execution } from "../api/views";
import { useFollow } from "../lib/follow";
import { FollowedEnd } from "../parts/FollowedEnd";
import { ReadOn } from "../parts/ReadOn";
import { Empty, Failure, Rows } from "../parts/States";
import { type RowPlace, type RowsHandle, VirtualRows } from "../parts/VirtualRows";
import { useWords } from "../words/words";
import type { Item } from "./items";
import { beginOf, isError, nextError, offsetOf, ofKind, type StepKind } from "./kinds";
import { BeginStep, CutStep, EndStep, NoteStep, OutputStep } from "./NoteSteps";
import { Opened } from "./opened";
import { Answer, ResultStep, TextStep, ThinkingStep } from "./SpeechSteps";
import { StepFilter } from "./StepFilter";
import classes from "./Steps.module.css";
import { type OpenCall, ToolStep } from "./ToolStep";
import type { Transcript } from "./transcript";

/** The transcript of one attempt, growing while it goes on. */
export function Steps({
  run,
  attempt,
  isLatest,
}: {
  run: Execution;
  attempt: number;
  isLatest: boolean;
}) {
  const transcript = useTranscript(run.id, attempt);
  if (transcript.data) {
    return (
      <Live
        run={run}
        transcript={transcript.data}
        isGoing={!run.isFinished && isLatest}
        isReading={transcript.isFetching}
        readOn={() => void transcript.refetch()}
      />
    );
  }
  if (transcript.isPending) return <Rows count={4} height={54} />;
  return <Failure error={transcript.error} retry={() => void transcript.refetch()} />;
}

/** What is there so far, from nothing on: whoever is at its end stays there. */
function Live({
  run,
  transcript,
  isGoing,
  isReading,
  readOn,
}: {
  run: Execution;
  transcript: Transcript;
  isGoing: boolean;
  isReading: boolean;
  readOn: () => void;
}) {
  const { t } = useWords();
  const { box, end, isAway, isAtEnd, jump } = useFollow(isGoing);
  const { timeline, rest, attempt } = transcript;
  const isWhole = rest === null && !isReading;
  return (
    <>
      <div ref={box}>
        {timeline.items.length === 0 ? (
          <NoSteps run={run} isGoing={isGoing} />
        ) : (
          <Shown
            items={timeline.items}
            isWhole={isWhole}
            isAtEnd={isAtEnd}
            about={{
              folder: timeline.folder,
              open: isGoing ? "running" : isWhole ? "cut" : "unknown",
              isGood: isGood(run, attempt),
            }}
          />
        )}
      </div>
      {rest !== null && <ReadOn isLoading={isReading} load={readOn} />}
      <FollowedEnd end={end} isLeft={isGoing && isAway} label={t("steps.follow")} jump={jump} />
    </>
  );
}

/** The result outlives a transcript that was never delivered. */
function NoSteps({ run, isGoing }: { run: Execution; isGoing: boolean }) {
  const { t } = useWords();
  if (isGoing) {
    return <Empty icon="runs" title={t("steps.emptyLive")} detail={t("steps.emptyLiveDetail")} />;
  }
  return (
    <>
      {run.result && (
        <Answer text={run.result} isError={false} isGood={run.phase === "Succeeded"} aside="" />
      )}
      <Empty icon="runs" title={t("steps.empty")} detail={t("steps.emptyDetail")} />
    </>
  );
}

/** Whether what the agent says of its work was accepted. */
function isGood(run: Execution, attempt: number): boolean {
  const reason = run.attempts.find((each) => each.number === attempt)?.reason;
  return reason === "Verified" || reason === "Unverified";
}

/** What a step has to know of the attempt that it belongs to. */
interface About {
  folder: string;
  /** What a call without a result is: it goes on, it was cut off, or its result was not read yet. */
  open: OpenCall;
  isGood: boolean;
}

function Shown({
  items,
  isWhole,
  isAtEnd,
  about,
}: {
  items: readonly Item[];
  isWhole: boolean;
  isAtEnd: () => boolean;
  about: About;
}) {
  const { t } = useWords();
  const [kind, setKind] = useState<StepKind | null>(null);
  const [opened] = useState(() => new Map<string, boolean>());
  const list = useRef<RowsHandle>(null);
  const { current, toNext } = useErrors(items, list, () => setKind(null));
  const shown = useMemo(() => ofKind(items, kind), [items, kind]);
  const begin = useMemo(() => beginOf(items), [items]);
  const draw = (item: Item, { index, ref }: RowPlace) => (
    <li
      key={item.key}
      ref={ref}
      id={`step-${item.key}`}
      data-index={index}
      className={classes.row}
      aria-setsize={shown.length}
      aria-posinset={index + 1}
      data-continued={(item.kind === "output" && item.isContinued) || undefined}
      tabIndex={item.key === current ? -1 : undefined}
    >
      <div
        className={classes.step}
        data-kind={item.kind}
        data-inner={item.parent !== null || undefined}
        data-error={isError(item) || undefined}
        data-current={item.key === current || undefined}
      >
        <Offset ms={offsetOf(item, begin)} />
        <Step item={item} {...about} />
      </div>
    </li>
  );
  return (
    <Opened value={opened}>
      <StepFilter items={items} isWhole={isWhole} kind={kind} choose={setKind} toNext={toNext} />
      {shown.length === 0 && <p className={classes.noneOfKind}>{t("filter.none")}</p>}
      <VirtualRows
        className={classes.steps}
        rows={shown}
        keyOf={keyOf}
        height={heightOf}
        handle={list}
        isAtEnd={isAtEnd}
        draw={draw}
      />
    </Opened>
  );
}

const keyOf = (item: Item) => item.key;

const LINE = 20;

/** About how high a step is: near enough that the page hardly moves when it is drawn. */
function heightOf(item: Item): number {
  switch (item.kind) {
    case "output":
      return item.lines.length * LINE + 30;
    case "text":
    case "result":
      return 60 + Math.ceil(item.text.length / 76) * 24;
    default:
      return 52;
  }
}

/** From one error to the next. All kinds are shown then: an error is read with what led to it. */
function useErrors(
  items: readonly Item[],
  list: RefObject<RowsHandle | null>,
  showAll: () => void,
) {
  const [current, setCurrent] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes meanwhile moves nobody
  useEffect(() => {
    if (current === null) return;
    list.current?.show(items.findIndex((item) => item.key === current));
    // It is drawn once the page is there.
    const later = setTimeout(
      () => document.getElementById(`step-${current}`)?.focus({ preventScroll: true }),
      100,
    );
    return () => clearTimeout(later);
  }, [current]);
  const toNext = () => {
    showAll();
    setCurrent(nextError(items, current));
  };
  return { current, toNext };
}

const SAID_MS = 50;

/** When a step came, counted from the first. */
function Offset({ ms }: { ms: number | null }) {
  const { t, shortDuration } = useWords();
  if (ms === null || ms < SAID_MS) return null;
  const time = shortDuration(ms);
  return (
    <span className={classes.offset} title={t("filter.offset", { time })}>
      +{time}
    </span>
  );
}

const Step = memo(function Step({ item, folder, open, isGood }: { item: Item } & About) {
  switch (item.kind) {
    case "begin":
      return <BeginStep item={item} />;
    case "thinking":
      return <ThinkingStep item={item} />;
    case "text":
      return <TextStep item={item} />;
    case "tool":
      return <ToolStep item={item} folder={folder} open={open} />;
    case "output":
      return <OutputStep item={item} />;
    case "note":
      return <NoteStep item={item} />;
    case "result":
      return <ResultStep item={item} isGood={isGood} />;
    case "cut":
      return <CutStep item={item} />;
    case "end":
      return <EndStep item={item} />;
  }
});
