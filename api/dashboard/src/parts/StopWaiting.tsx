import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { send } from "../api/client";
import { useRunCounts } from "../api/queries";
import type { CancelResult } from "../api/views";
import { freshName } from "../lib/orders";
import type { Filter } from "../live/lists";
import { useWords } from "../words/words";
import { Ask } from "./Confirm";
import { Icon } from "./icons";
import { Refusal } from "./States";
import classes from "./StopWaiting.module.css";

const PATH = "/api/executions/cancel";

/** What a question is about: its count is the server's, of the same filter. */
interface Question {
  matched: number;
  /** Under which the command is sent, however often: it takes no run that was made later. */
  once: string;
}

function bodyOf(filter: Filter) {
  return { phases: ["Pending"], ...(filter.agent ? { agent: filter.agent } : {}) };
}

/** Ends all runs of the filter that wait, by one request, after a question that counts them. */
export function StopWaiting({ filter }: { filter: Filter }) {
  const { t, amount } = useWords();
  const waiting = useRunCounts().data?.waiting ?? 0;
  const [question, setQuestion] = useState<Question | null>(null);
  const count = useMutation({
    mutationFn: () => send<CancelResult>({ path: PATH, body: { ...bodyOf(filter), dryRun: true } }),
    onSuccess: ({ matched }) => setQuestion({ matched, once: freshName() }),
  });
  const stop = useMutation({
    mutationFn: ({ once }: Question) =>
      send<CancelResult>({ path: PATH, body: bodyOf(filter), once }),
    onSuccess: () => setQuestion(null),
  });
  const isOf = !filter.phase || filter.phase === "Pending";
  if (!isOf || (waiting === 0 && !stop.data && !question)) return null;
  return (
    <div className={classes.stop}>
      {question && question.matched > 0 ? (
        <Ask
          ask={t(question.matched === 1 ? "runs.stopAskOne" : "runs.stopAsk", {
            count: amount(question.matched),
          })}
          yes={t("runs.stopYes", { count: amount(question.matched) })}
          no={t("runs.stopNo")}
          isPending={stop.isPending}
          onYes={() => stop.mutate(question)}
          onNo={() => setQuestion(null)}
        />
      ) : (
        waiting > 0 && (
          <Button
            variant="default"
            leftSection={<Icon name="stop" size={16} />}
            loading={count.isPending}
            onClick={() => count.mutate()}
          >
            {t("runs.stopWaiting")}
          </Button>
        )
      )}
      <p role="status" className={classes.said}>
        {question?.matched === 0 && t("runs.stopNone")}
        {stop.data && !question && <Stopped result={stop.data} />}
      </p>
      <Refusal error={count.error ?? stop.error} />
    </div>
  );
}

/** What came of it; the runs themselves change as they are reported. */
function Stopped({ result }: { result: CancelResult }) {
  const { t, amount } = useWords();
  const parts = [t("runs.stopped", { count: amount(result.cancelled) })];
  if (result.failed > 0) parts.push(t("runs.stopFailed", { count: amount(result.failed) }));
  if (result.remaining > 0) parts.push(t("runs.stopLeft", { count: amount(result.remaining) }));
  return parts.join(" ");
}
