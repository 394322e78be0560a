import { Button, Collapse, SegmentedControl, Select, Switch } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useRef, useState } from "react";
import { useWords } from "../words/words";
import { Blackouts } from "./Blackouts";
import { isTree, type Tree, valueAt } from "./contents";
import { withField } from "./editing";
import { Choice, Line } from "./Field";
import { Fires } from "./Fires";
import { useFault, useFieldName, useForm } from "./form";
import classes from "./Schedule.module.css";
import {
  CATCH_UPS,
  DAYLIGHT,
  type Form,
  FREQUENCIES,
  formOf,
  inForm,
  OVERLAPS,
  WEEKDAYS,
  withFrequency,
} from "./schedules";

const TYPING_MS = 400;

/** When it starts by itself: in words, or as cron; and the next times of it. */
export function ScheduleEditor() {
  const { editing, change, isLocked, faults } = useForm();
  const { t, zone } = useWords();
  const error = useFault("spec.schedule");
  const given = valueAt(editing.content, "spec.schedule");
  const schedule = isTree(given) ? given : null;
  // What was written in another form comes back with it.
  const left = useRef<Partial<Record<Form, Tree>>>({});
  const form = formOf(schedule);
  const choose = (next: Form) => {
    if (schedule) left.current[form] = schedule;
    const made = inForm(next, schedule, left.current[next], zone);
    change((now) => withField(now, "spec.schedule", made));
  };
  const isWrong = [...faults.keys()].some((path) => path.startsWith("spec.schedule"));
  return (
    <div className={classes.editor}>
      <SegmentedControl
        aria-label={t("field.schedule")}
        className={classes.forms}
        value={form}
        readOnly={isLocked}
        onChange={(next) => choose(next)}
        data={[
          { value: "none", label: t("schedule.none") },
          { value: "frequency", label: t("schedule.regular") },
          { value: "cron", label: "Cron" },
        ]}
      />
      {error && <p className={classes.error}>{error}</p>}
      {!schedule && <p className={classes.hint}>{t("schedule.noneHint")}</p>}
      {schedule && (
        <>
          {form === "cron" ? <CronForm /> : <RegularForm schedule={schedule} />}
          <Zone />
          <NextFires schedule={isWrong ? null : schedule} />
          <Advanced schedule={schedule} />
        </>
      )}
    </div>
  );
}

function CronForm() {
  const { t } = useWords();
  return <Line path="spec.schedule.cron" hint={t("schedule.cronHint")} />;
}

function RegularForm({ schedule }: { schedule: Tree }) {
  const { change, isLocked } = useForm();
  const { t } = useWords();
  const name = useFieldName();
  const frequency = FREQUENCIES.find((each) => each === schedule.frequency) ?? "daily";
  return (
    <div className={classes.regular}>
      <Select
        label={name("spec.schedule.frequency")}
        readOnly={isLocked}
        allowDeselect={false}
        value={frequency}
        data={FREQUENCIES.map((each) => ({ value: each, label: t(`frequency.${each}`) }))}
        onChange={(next) =>
          next && change((now) => withField(now, "spec.schedule", withFrequency(schedule, next)))
        }
      />
      {frequency === "weekly" && (
        <Choice
          path="spec.schedule.weekday"
          fallback="Monday"
          options={WEEKDAYS.map((each) => ({ value: each, label: t(`weekday.${each}`) }))}
        />
      )}
      {frequency === "monthly" && (
        <Line path="spec.schedule.monthDay" hint={t("schedule.monthDayHint")} />
      )}
      <Line
        path="spec.schedule.time"
        hint={frequency === "hourly" ? t("schedule.minuteHint") : t("schedule.timeHint")}
      />
    </div>
  );
}

const ZONES = Intl.supportedValuesOf("timeZone");
const WITH_UTC = ZONES.includes("UTC") ? ZONES : ["UTC", ...ZONES];

function Zone() {
  const { editing, change, isLocked } = useForm();
  const { t } = useWords();
  const name = useFieldName();
  const error = useFault("spec.schedule.timeZone");
  const given = valueAt(editing.content, "spec.schedule.timeZone");
  const zone = typeof given === "string" ? given : "UTC";
  return (
    <Select
      label={name("spec.schedule.timeZone")}
      description={t("schedule.zoneHint")}
      error={error}
      readOnly={isLocked}
      className={classes.zone}
      searchable
      allowDeselect={false}
      nothingFoundMessage={t("settings.zoneNone")}
      data={WITH_UTC.includes(zone) ? WITH_UTC : [zone, ...WITH_UTC]}
      limit={60}
      value={zone}
      onChange={(next) => next && change((now) => withField(now, "spec.schedule.timeZone", next))}
    />
  );
}

function NextFires({ schedule }: { schedule: Tree | null }) {
  const [settled] = useDebouncedValue(schedule, TYPING_MS);
  const { t } = useWords();
  if (!schedule) return <p className={classes.hint}>{t("schedule.wrong")}</p>;
  return <Fires schedule={settled ?? schedule} count={10} />;
}

/** What few people need. */
function Advanced({ schedule }: { schedule: Tree }) {
  const { change, isLocked } = useForm();
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <div>
      <Button
        variant="subtle"
        color="gray"
        size="compact-sm"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? t("agents.less") : t("agents.advanced")}
      </Button>
      <Collapse expanded={isOpen}>
        <div className={classes.advanced}>
          <Switch
            label={t("field.scheduleOff")}
            description={t("schedule.offHint")}
            disabled={isLocked}
            checked={schedule.suspend === true}
            onChange={(event) => {
              const isOff = event.currentTarget.checked || undefined;
              change((now) => withField(now, "spec.schedule.suspend", isOff));
            }}
          />
          <Choice
            path="spec.schedule.overlap"
            fallback="Skip"
            options={OVERLAPS.map((value) => ({ value, label: t(`overlap.${value}`) }))}
          />
          <Choice
            path="spec.schedule.catchUp"
            fallback="Latest"
            options={CATCH_UPS.map((value) => ({ value, label: t(`catchUp.${value}`) }))}
          />
          {schedule.catchUp === "All" && <Line path="spec.schedule.maxCatchUp" />}
          <Choice
            path="spec.schedule.daylightSaving"
            fallback="Once"
            options={DAYLIGHT.map((value) => ({ value, label: t(`daylight.${value}`) }))}
          />
          <Line
            path="spec.schedule.jitterSeconds"
            hint={t("schedule.jitterHint")}
            unit={t("unit.minutes")}
          />
          <Line
            path="spec.schedule.startingDeadlineSeconds"
            hint={t("schedule.deadlineHint")}
            unit={t("unit.minutes")}
          />
          <Line path="spec.schedule.pauseAfterFailures" hint={t("schedule.pauseHint")} />
        </div>
        <Blackouts zone={typeof schedule.timeZone === "string" ? schedule.timeZone : "UTC"} />
      </Collapse>
    </div>
  );
}
