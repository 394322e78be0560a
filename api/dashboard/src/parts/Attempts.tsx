import type { Attempt, Execution } from "../api/views";
import { useNow } from "../lib/now";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./Attempts.module.css";
import { SystemWords } from "./SystemWords";

const CAUSES = ["agent", "limit", "configuration", "infrastructure"] as const;

/** Each attempt: when, how long, why it ended. The shown one is marked. */
export function Attempts({
  run,
  shown,
  show,
}: {
  run: Execution;
  shown: number;
  show: (attempt: number) => void;
}) {
  const { t } = useWords();
  if (run.attempts.length === 0) return <p className={classes.none}>{t("run.noAttempts")}</p>;
  return (
    <ol className={classes.attempts}>
      {run.attempts.map((attempt) => (
        <li key={attempt.number} className={classes.attempt} data-tone={toneOf(attempt)}>
          <One
            attempt={attempt}
            // What ended the run stands above already.
            message={isSaid(run, attempt) ? "" : attempt.message}
            isChoice={run.attempts.length > 1}
            isShown={attempt.number === shown}
            show={show}
          />
        </li>
      ))}
    </ol>
  );
}

function One({
  attempt,
  message,
  isChoice,
  isShown,
  show,
}: {
  attempt: Attempt;
  message: string;
  isChoice: boolean;
  isShown: boolean;
  show: (attempt: number) => void;
}) {
  const { t, name } = useWords();
  const title = t("run.attempt", { number: attempt.number });
  const cause = CAUSES.find((each) => each === attempt.cause);
  return (
    <>
      <div className={classes.top}>
        {isChoice ? (
          <button
            type="button"
            className={classes.choose}
            aria-pressed={isShown}
            aria-label={t("run.showAttempt", { number: attempt.number })}
            onClick={() => show(attempt.number)}
          >
            {title}
          </button>
        ) : (
          <strong>{title}</strong>
        )}
        <Length attempt={attempt} />
      </div>
      <div className={classes.reason}>
        {attempt.reason ? name("reason", attempt.reason) : t("run.attemptGoing")}
        {cause && attempt.reason !== "Verified" && ` · ${t(`cause.${cause}`)}`}
        {attempt.costMicros > 0 && ` · ${money(attempt.costMicros)}`}
      </div>
      <SystemWords text={message} />
    </>
  );
}

function Length({ attempt }: { attempt: Attempt }) {
  const { duration } = useWords();
  const now = useNow();
  if (!attempt.startTime) return null;
  const end = attempt.endTime ? Date.parse(attempt.endTime) : now;
  return (
    <span className={classes.length}>{duration((end - Date.parse(attempt.startTime)) / 1000)}</span>
  );
}

function isSaid(run: Execution, attempt: Attempt): boolean {
  return run.phase === "Failed" && run.message.startsWith(attempt.message);
}

function toneOf(attempt: Attempt): string {
  if (!attempt.reason) return "busy";
  return attempt.reason === "Verified" || attempt.reason === "Unverified" ? "good" : "bad";
}
