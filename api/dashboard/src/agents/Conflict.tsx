import { Button, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { Callout } from "../parts/Callout";
import { useWords } from "../words/words";
import { Changes, Side, Value } from "./Changes";
import classes from "./Conflict.module.css";
import type { Overlap } from "./changes";
import type { Conflict as Found } from "./editing";
import { useFieldName } from "./form";

/** Somebody else saved meanwhile. Nothing is saved by choosing: the edit goes on from theirs. */
export function Conflict({
  conflict,
  resolve,
}: {
  conflict: Found;
  /** With the fields of which theirs is taken. */
  resolve: (taken: ReadonlySet<string>) => void;
}) {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  const [taken, setTaken] = useState<ReadonlySet<string>>(new Set());
  const { overlaps, theirs, latest } = conflict;
  return (
    <Callout tone="warn" icon="alert" title={t("conflict.title", { number: latest.number })}>
      <p className={classes.said}>
        {overlaps.length > 0 ? t("conflict.both", { count: overlaps.length }) : t("conflict.apart")}
      </p>
      <div className={classes.buttons}>
        <Button onClick={() => resolve(new Set())}>{t("conflict.keep")}</Button>
        <Button
          variant="default"
          onClick={() => resolve(new Set(overlaps.map(({ field }) => field)))}
        >
          {t("conflict.take")}
        </Button>
        <Button variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {t("conflict.see")}
        </Button>
      </div>
      {isOpen && (
        <div className={classes.both}>
          {overlaps.map((overlap) => (
            <OneOverlap
              key={overlap.field}
              overlap={overlap}
              isTaken={taken.has(overlap.field)}
              take={(isTaken) => setTaken(toggled(taken, overlap.field, isTaken))}
            />
          ))}
          {overlaps.length > 0 && (
            <Button className={classes.apply} onClick={() => resolve(taken)}>
              {t("conflict.apply")}
            </Button>
          )}
          <h3>{t("conflict.theirs")}</h3>
          <Changes changes={theirs} label={t("conflict.theirs")} />
        </div>
      )}
    </Callout>
  );
}

/** What gave way to somebody else's words, until it is not needed any more. */
export function SetAside({ takeBack, forget }: { takeBack: () => void; forget: () => void }) {
  const { t } = useWords();
  const goBack = () => {
    takeBack();
    forget();
  };
  return (
    <Callout tone="calm" icon="hand" title={t("conflict.aside")}>
      <div className={classes.buttons}>
        <Button variant="default" size="xs" onClick={goBack}>
          {t("conflict.back")}
        </Button>
        <Button variant="subtle" color="gray" size="xs" onClick={forget}>
          {t("conflict.forget")}
        </Button>
      </div>
    </Callout>
  );
}

function toggled(all: ReadonlySet<string>, field: string, isIn: boolean): ReadonlySet<string> {
  const next = new Set(all);
  if (isIn) next.add(field);
  else next.delete(field);
  return next;
}

/** One field that both changed, and whose words are to hold. */
function OneOverlap({
  overlap: { field, mine, theirs },
  isTaken,
  take,
}: {
  overlap: Overlap;
  isTaken: boolean;
  take: (isTaken: boolean) => void;
}) {
  const { t } = useWords();
  const name = useFieldName();
  return (
    <div>
      <div className={classes.head}>
        <strong>{name(field)}</strong>
        <SegmentedControl
          size="xs"
          aria-label={name(field)}
          value={isTaken ? "theirs" : "mine"}
          onChange={(side) => take(side === "theirs")}
          data={[
            { value: "mine", label: t("conflict.mineShort") },
            { value: "theirs", label: t("conflict.theirsShort") },
          ]}
        />
      </div>
      <div className={classes.sides}>
        <Side kind="other" label={t("conflict.mineShort")}>
          <Value field={field} value={mine} />
        </Side>
        <Side kind="other" label={t("conflict.theirsShort")}>
          <Value field={field} value={theirs} />
        </Side>
      </div>
    </div>
  );
}
