import { Skeleton } from "@mantine/core";
import { useSchedulePreview } from "../api/agents";
import { ApiError } from "../api/client";
import { OwnZone } from "../parts/Times";
import { moment } from "../words/formats";
import { useWords } from "../words/words";
import type { Tree } from "./contents";
import classes from "./Schedule.module.css";

/** A schedule in words and its next times: in the person's zone, its own zone beside it. */
export function Fires({ schedule, count }: { schedule: Tree; count: number }) {
  const { t, language, zone } = useWords();
  const preview = useSchedulePreview(schedule, count);
  if (preview.isError) {
    const isRefused = preview.error instanceof ApiError && preview.error.status === 422;
    return <p className={classes.hint}>{isRefused ? t("schedule.wrong") : t("schedule.away")}</p>;
  }
  if (!preview.data) return <Skeleton height={90} radius="md" />;
  const { words, fires, timeZone } = preview.data;
  return (
    <div className={classes.fires} data-old={preview.isPlaceholderData || undefined}>
      <p className={classes.words}>{words[language]}</p>
      {fires.length === 0 && <p className={classes.hint}>{t("schedule.noFires")}</p>}
      <ol aria-label={t("schedule.next")}>
        {fires.map((fire) => (
          <li key={fire.time}>
            <time dateTime={fire.time}>{moment(fire.time, language, zone)}</time>
            <OwnZone time={fire.time} zone={timeZone} className={classes.own} />
            {fire.note && (
              <span className={classes.note}>
                {t(`fire.${fire.note}`)} {fire.reason}
              </span>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
