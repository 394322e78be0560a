import { Button, SegmentedControl, Select, useMantineColorScheme } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useId } from "react";
import { Link } from "wouter";
import { follow } from "../api/client";
import { useSpending } from "../api/mine";
import { useMe } from "../api/queries";
import { forgetDrafts } from "../chat/drafts";
import { useNow } from "../lib/now";
import { Mine } from "../parts/Mine";
import { PageHead, Section } from "../parts/Page";
import { Refusal } from "../parts/States";
import { money } from "../words/formats";
import { browserZone, choose, usePreferences } from "../words/preferences";
import { useWords } from "../words/words";
import classes from "./SettingsPage.module.css";

/** What a person chooses for this browser, and what is theirs on the server. */
export default function SettingsPage() {
  const { t } = useWords();
  return (
    <>
      <PageHead title={t("settings.title")} detail={t("settings.detail")} />
      <div className={classes.settings}>
        <Theme />
        <Language />
        <Zone />
      </div>
      <Section title={t("settings.person")}>
        <div className={classes.settings}>
          <Person />
          <Spending />
          <Access />
        </div>
      </Section>
      <Section title={t("mine.data")}>
        <Mine />
      </Section>
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
  const { t, instant } = useWords();
  const me = useMe().data;
  if (!me) return null;
  return (
    <Row title={t("settings.kind")}>
      {() => (
        <>
          <p>
            {t(`settings.${me.kind}`)}
            {me.isAdmin && ` · ${t("settings.admin")}`}
          </p>
          {me.expiresTime && (
            <p className={classes.aside}>{t("mine.expires", { time: instant(me.expiresTime) })}</p>
          )}
          {me.canSignIn && me.kind === "guest" && <SignIn />}
          {me.canSignIn && me.kind === "user" && <SignOut />}
        </>
      )}
    </Row>
  );
}

/** The server's own pages: they set the session's cookie and lead to the provider. */
function SignIn() {
  const { t } = useWords();
  return (
    <>
      <p className={classes.aside}>{t("settings.signInDetail")}</p>
      <p className={classes.session}>
        <Button component="a" size="xs" href="/auth/sign-in?next=/settings">
          {t("settings.signIn")}
        </Button>
      </p>
    </>
  );
}

function SignOut() {
  const { t } = useWords();
  const leave = useMutation({
    mutationFn: (path: string) => {
      forgetDrafts();
      return follow(path);
    },
  });
  return (
    <>
      <div className={classes.session}>
        <Button size="xs" variant="default" onClick={() => leave.mutate("/auth/sign-out")}>
          {t("settings.signOut")}
        </Button>
        <Button
          size="xs"
          variant="subtle"
          onClick={() => leave.mutate("/auth/sign-out?everywhere=true")}
        >
          {t("settings.signOutEverywhere")}
        </Button>
      </div>
      <Refusal error={leave.error} />
    </>
  );
}

function Spending() {
  const { t, instant } = useWords();
  const spending = useSpending();
  if (!spending) return null;
  const { capMicros, spentMicros, untilTime } = spending;
  const spent = money(spentMicros);
  return (
    <Row title={t("mine.spending")}>
      {(id) => (
        <>
          <p>
            {capMicros === null
              ? t("mine.spent", { spent })
              : t("mine.spentOf", { spent, cap: money(capMicros) })}{" "}
            <Link href="/usage">{t("mine.toUsage")}</Link>
          </p>
          {capMicros !== null && (
            <meter
              className={classes.meter}
              aria-labelledby={id}
              max={Math.max(1, capMicros)}
              high={capMicros * 0.8}
              value={Math.min(spentMicros, capMicros)}
            />
          )}
          {untilTime && (
            <p className={classes.aside}>{t("mine.until", { time: instant(untilTime) })}</p>
          )}
        </>
      )}
    </Row>
  );
}

function Access() {
  const { t } = useWords();
  return (
    <Row title={t("mine.access")}>
      {() => (
        <p className={classes.links}>
          <Link href="/keys">{t("keys.title")}</Link>
          <Link href="/secrets">{t("secrets.title")}</Link>
          <Link href="/webhooks">{t("webhooks.title")}</Link>
        </p>
      )}
    </Row>
  );
}
