import { Button } from "@mantine/core";
import { memo, useEffect, useState } from "react";
import { useTranscript } from "../api/queries";
import type { Execution } from "../api/views";
import { Empty, Failure, Rows } from "../parts/States";
import { useWords } from "../words/words";
import { useFollow } from "./follow";
import type { Item } from "./items";
import { isError, nextError, offsets, ofKind, type StepKind } from "./kinds";
import { BeginStep, EndStep, NoteStep, OutputStep } from "./NoteSteps";
import { Answer, ResultStep, TextStep, ThinkingStep } from "./SpeechSteps";
import { StepFilter } from "./StepFilter";
import classes from "./Steps.module.css";
import { ToolStep } from "./ToolStep";

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
  const isGoing = !run.isFinished && isLatest;
  if (transcript.isPending) return <Rows count={4} height={54} />;
  if (!transcript.data) {
    return <Failure error={transcript.error} retry={() => void transcript.refetch()} />;
  }
  const { timeline, rest } = transcript.data;
  if (timeline.items.length === 0) return <NoSteps run={run} isGoing={isGoing} />;
  return (
    <>
      <Shown
        items={timeline.items}
        folder={timeline.folder}
        isGoing={isGoing}
        isGood={isGood(run, attempt)}
      />
      {rest !== null && (
        <More isLoading={transcript.isFetching} load={() => void transcript.refetch()} />
      )}
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

function More({ isLoading, load }: { isLoading: boolean; load: () => void }) {
  const { t } = useWords();
  return (
    <Button mt="md" variant="default" loading={isLoading} onClick={load}>
      {t("steps.more")}
    </Button>
  );
}

/** Whether what the agent says of its work was accepted. */
function isGood(run: Execution, attempt: number): boolean {
  const reason = run.attempts.find((each) => each.number === attempt)?.reason;
  return reason === "Verified" || reason === "Unverified";
}

function Shown({
  items,
  folder,
  isGoing,
  isGood,
}: {
  items: readonly Item[];
  folder: string;
  isGoing: boolean;
  isGood: boolean;
}) {
  const { t } = useWords();
  const [kind, setKind] = useState<StepKind | null>(null);
  const { end, isAway, jump } = useFollow(items, isGoing);
  const { current, toNext } = useErrors(items, () => setKind(null));
  const shown = ofKind(items, kind);
  const after = offsets(items);
  return (
    <>
      <StepFilter items={items} kind={kind} choose={setKind} toNext={toNext} />
      {shown.length === 0 && <p className={classes.noneOfKind}>{t("filter.none")}</p>}
      <ol className={classes.steps}>
        {shown.map((item) => (
          <li
            key={item.key}
            id={`step-${item.key}`}
            className={classes.step}
            data-kind={item.kind}
            data-inner={item.parent !== null || undefined}
            data-error={isError(item) || undefined}
            data-current={item.key === current || undefined}
            tabIndex={item.key === current ? -1 : undefined}
          >
            <Offset ms={after.get(item.key)} />
            <Step item={item} folder={folder} isGoing={isGoing} isGood={isGood} />
          </li>
        ))}
      </ol>
      <div ref={end} />
      {isGoing && isAway && (
        <Button className={classes.jump} size="xs" radius="xl" onClick={jump}>
          {t("steps.follow")}
        </Button>
      )}
    </>
  );
}

/** From one error to the next. All kinds are shown then: an error is read with what led to it. */
function useErrors(items: readonly Item[], showAll: () => void) {
  const [current, setCurrent] = useState<string | null>(null);
  useEffect(() => {
    const step = current && document.getElementById(`step-${current}`);
    if (!step) return;
    step.scrollIntoView({ block: "center" });
    step.focus({ preventScroll: true });
  }, [current]);
  const toNext = () => {
    showAll();
    setCurrent(nextError(items, current));
  };
  return { current, toNext };
}

const SAID_MS = 50;

/** When a step came, counted from the first. */
function Offset({ ms }: { ms: number | undefined }) {
  const { t, shortDuration } = useWords();
  if (ms === undefined || ms < SAID_MS) return null;
  const time = shortDuration(ms);
  return (
    <span className={classes.offset} title={t("filter.offset", { time })}>
      +{time}
    </span>
  );
}

const Step = memo(function Step({
  item,
  folder,
  isGoing,
  isGood,
}: {
  item: Item;
  folder: string;
  isGoing: boolean;
  isGood: boolean;
}) {
  switch (item.kind) {
    case "begin":
      return <BeginStep item={item} />;
    case "thinking":
      return <ThinkingStep item={item} />;
    case "text":
      return <TextStep item={item} />;
    case "tool":
      return <ToolStep item={item} folder={folder} isGoing={isGoing} />;
    case "output":
      return <OutputStep item={item} />;
    case "note":
      return <NoteStep item={item} />;
    case "result":
      return <ResultStep item={item} isGood={isGood} />;
    case "end":
      return <EndStep item={item} />;
  }
});
