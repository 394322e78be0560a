import { Button } from "@mantine/core";
import { useMe } from "../api/queries";
import { useWords } from "../words/words";
import { Callout } from "./Callout";

/** Guests who stay away lose what they have: a page that was left open says so before. */
export function Expiry() {
  const { t, instant } = useWords();
  const { data: me } = useMe();
  if (!me?.isExpiring || !me.expiresTime) return null;
  return (
    <Callout tone="warn" icon="alert" title={t("expiry.title")}>
      <p>{t("expiry.detail", { time: instant(me.expiresTime) })}</p>
      <Button size="xs" onClick={() => location.reload()}>
        {t("expiry.stay")}
      </Button>
    </Callout>
  );
}
