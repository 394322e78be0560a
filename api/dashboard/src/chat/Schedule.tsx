import { useState } from "react";
import type { Fire } from "../api/views";
import { useWords } from "../words/words";
import classes from "./Schedule.module.css";

const FEW = 3;

type Shown = Pick<Fire, "time"> & { note?: string | null };

/** When a schedule starts next, by its own zone; the first few until somebody asks for all. */
export function Fires({
  zone,
  words,
  fires,
}: {
  zone: string;
  /** The schedule in words; most of them name the zone. */
  words: string;
  fires: readonly Shown[];
}) {
  const { t, name, instant } = useWords();
  const [isAll, setAll] = useState(false);
  return (
    <div className={classes.fires}>
      <ol aria-label={t("card.next")}>
        {fires.slice(0, isAll ? undefined : FEW).map((fire) => (
          <li key={fire.time}>
            <time dateTime={fire.time} title={instant(fire.time)}>
              <Local fire={fire} zone={zone} />
            </time>
            {fire.note && <span className={classes.note}>{name("fire", fire.note)}</span>}
          </li>
        ))}
      </ol>
      <p className={classes.zone}>
        {!words.includes(zone) && t("card.zone", { zone })}
        {!isAll && fires.length > FEW && (
          <button type="button" onClick={() => setAll(true)}>
            {t("card.allFires", { count: fires.length })}
          </button>
        )}
      </p>
    </div>
  );
}

function Local({ fire, zone }: { fire: Shown; zone: string }) {
  const { language } = useWords();
  return new Intl.DateTimeFormat(language, {
    weekday: "short",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  }).format(new Date(fire.time));
}
