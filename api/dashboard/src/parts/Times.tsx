import type { Execution } from "../api/views";
import { useNow } from "../lib/now";
import { moment } from "../words/formats";
import { usePreferences } from "../words/preferences";
import { useWords } from "../words/words";

/** How long ago; the exact instant, in the person's zone, on the element. */
export function Ago({ time }: { time: string }) {
  const { ago, instant } = useWords();
  const now = useNow();
  return (
    <time dateTime={time} title={instant(time)}>
      {ago(Math.min(Date.parse(time), now), now)}
    </time>
  );
}

/** How long a run took, or goes on. */
export function Took({ run }: { run: Execution }) {
  return run.isFinished || !run.startTime ? <Whole run={run} /> : <Going since={run.startTime} />;
}

function Whole({ run }: { run: Execution }) {
  const { duration } = useWords();
  return run.durationSeconds === null ? "–" : duration(run.durationSeconds);
}

function Going({ since }: { since: string }) {
  const { duration } = useWords();
  return duration((useNow() - Date.parse(since)) / 1000);
}

/** An instant by a schedule's own zone, where that is not the person's. */
export function OwnZone({
  time,
  zone,
  className,
}: {
  time: string;
  zone: string;
  className: string | undefined;
}) {
  const { language, zone: here } = useWords();
  if (zone === here) return null;
  return (
    <span className={className}>
      {moment(time, language, zone)} {zone}
    </span>
  );
}

/** When something is to come: how long until then, and the instant in the person's zone. */
export function Ahead({ time }: { time: string }) {
  const { ago, language } = useWords();
  const { zone } = usePreferences();
  const now = useNow();
  return (
    <time dateTime={time}>
      {moment(time, language, zone)} · {ago(Math.max(Date.parse(time), now), now)}
    </time>
  );
}
