import { useState } from "react";
import type { Fire } from "../api/views";
import { OwnZone } from "../parts/Times";
import { moment } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./Schedule.module.css";

const FEW = 3;

type Shown = Pick<Fire, "time"> & { note?: string | null };

/** When a schedule starts next: in the person's zone, its own zone beside it. The first few, until
 * somebody asks for all. */
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
  const { t, name, instant, language, zone: here } = useWords();
  const [isAll, setAll] = useState(false);
  return (
    <div className={classes.fires}>
      <ol aria-label={t("card.next")}>
        {fires.slice(0, isAll ? undefined : FEW).map((fire) => (
          <li key={fire.time}>
            <time dateTime={fire.time} title={instant(fire.time)}>
              {moment(fire.time, language, here)}
            </time>
            <OwnZone time={fire.time} zone={zone} className={classes.own} />
            {fire.note && <span className={classes.note}>{name("fire", fire.note)}</span>}
          </li>
        ))}
      </ol>
      <p className={classes.zone}>
        {zone === here && !words.includes(zone) && t("card.zone", { zone })}
        {!isAll && fires.length > FEW && (
          <button type="button" onClick={() => setAll(true)}>
            {t("card.allFires", { count: fires.length })}
          </button>
        )}
      </p>
    </div>
  );
}
