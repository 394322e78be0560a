import { SegmentedControl, Select, useMantineColorScheme } from "@mantine/core";
import { useId } from "react";
import { useNow } from "../lib/now";
import { useLive } from "../live/state";
import { PageHead } from "../parts/Page";
import { browserZone, choose, usePreferences } from "../words/preferences";
import { useWords } from "../words/words";
import classes from "./SettingsPage.module.css";

/** What a person chooses for this browser. */
export default function SettingsPage() {
  const { t } = useWords();
  return (
    <>
      <PageHead title={t("settings.title")} detail={t("settings.detail")} />
      <div className={classes.settings}>
        <Theme />
        <Language />
        <Zone />
        <Person />
      </div>
    </>
  );
}

function Row({ title, children }: { title: string; children: (id: string) => React.ReactNode }) {
  const id = useId();
  return (
    <div className={classes.row}>
      <h2 id={id}>{title}</h2>
      <div>{children(id)}</div>
    </div>
  );
}

function Theme() {
  const { t } = useWords();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Row title={t("settings.theme")}>
      {(id) => (
        <SegmentedControl
          aria-labelledby={id}
          value={colorScheme}
          onChange={setColorScheme}
          data={[
            { value: "auto", label: t("settings.auto") },
            { value: "light", label: t("settings.light") },
            { value: "dark", label: t("settings.dark") },
          ]}
        />
      )}
    </Row>
  );
}

function Language() {
  const { t } = useWords();
  const { language } = usePreferences();
  return (
    <Row title={t("settings.language")}>
      {(id) => (
        <SegmentedControl
          aria-labelledby={id}
          value={language ?? "auto"}
          onChange={(value) => choose({ language: value === "auto" ? null : value })}
          data={[
            { value: "auto", label: t("settings.auto") },
            { value: "en", label: t("settings.english") },
            { value: "ko", label: t("settings.korean") },
          ]}
        />
      )}
    </Row>
  );
}

const ZONES = Intl.supportedValuesOf("timeZone");

function Zone() {
  const { t, clock } = useWords();
  const { zone } = usePreferences();
  const now = useNow();
  return (
    <Row title={t("settings.zone")}>
      {(id) => (
        <Select
          aria-labelledby={id}
          className={classes.zone}
          searchable
          clearable
          clearButtonProps={{ "aria-label": t("settings.auto") }}
          placeholder={t("settings.zoneAuto", { zone: browserZone() })}
          nothingFoundMessage={t("settings.zoneNone")}
          description={t("settings.zoneNow", { time: clock(new Date(now).toISOString()) })}
          inputWrapperOrder={["input", "description"]}
          data={ZONES}
          limit={60}
          value={zone}
          onChange={(value) => choose({ zone: value })}
        />
      )}
    </Row>
  );
}

function Person() {
  const { t } = useWords();
  const person = useLive((state) => state.world?.person);
  if (!person) return null;
  return (
    <Row title={t("settings.person")}>
      {() => (
        <p>
          {t(`settings.${person.kind}`)}
          {person.isAdmin && ` · ${t("settings.admin")}`}
        </p>
      )}
    </Row>
  );
}
