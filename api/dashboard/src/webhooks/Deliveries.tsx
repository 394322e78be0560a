import { Button } from "@mantine/core";
import type { Delivery } from "../api/views";
import { useDeliveries, useRedeliver } from "../api/webhooks";
import { Pill } from "../parts/Phase";
import { Failure, Refusal, Rows } from "../parts/States";
import { Ago } from "../parts/Times";
import { useWords } from "../words/words";
import classes from "./Webhooks.module.css";

const GONE = 410;
const TONES = { waiting: "warn", delivered: "good", failed: "bad" } as const;

/** What was sent to one webhook, and what came of it. */
export function Deliveries({ webhook }: { webhook: string }) {
  const { t } = useWords();
  const read = useDeliveries(webhook);
  if (read.isPending) return <Rows count={2} />;
  if (!read.data) return <Failure error={read.error} retry={() => void read.refetch()} />;
  const all = read.data.pages.flatMap((page) => page.items);
  if (all.length === 0) return <p className={classes.quiet}>{t("webhooks.noDeliveries")}</p>;
  return (
    <>
      <ul className={classes.deliveries} aria-label={t("webhooks.deliveries")}>
        {all.map((each) => (
          <One key={each.id} webhook={webhook} delivery={each} />
        ))}
      </ul>
      {read.hasNextPage && (
        <Button variant="subtle" size="compact-sm" onClick={() => void read.fetchNextPage()}>
          {t("webhooks.older")}
        </Button>
      )}
    </>
  );
}

/** What an answer means; where there was none the server says why. */
function saidBy(status: number | null) {
  if (status === null) return null;
  if (status < 300) return "webhooks.said.taken";
  if (status < 400) return "webhooks.said.elsewhere";
  return status === GONE ? "webhooks.said.gone" : "webhooks.said.refused";
}

function One({ webhook, delivery }: { webhook: string; delivery: Delivery }) {
  const { t, clock, instant, shortDuration } = useWords();
  const said = ({ status }: Delivery["attempts"][number]) => {
    const key = saidBy(status);
    return key && t(key);
  };
  const again = useRedeliver(webhook);
  const { attempts, nextTime } = delivery;
  return (
    <li className={classes.delivery}>
      <Pill tone={TONES[delivery.state]}>{t(`webhooks.state.${delivery.state}`)}</Pill>
      <span>{t(`webhooks.event.${delivery.event}`)}</span>
      <Ago time={delivery.createdTime} />
      {nextTime && attempts.length > 0 && (
        <span className={classes.label}>{t("webhooks.next", { time: clock(nextTime) })}</span>
      )}
      <Button
        className={classes.again}
        variant="default"
        size="compact-xs"
        loading={again.isPending}
        onClick={() => again.mutate(delivery.id)}
      >
        {t("webhooks.redeliver")}
      </Button>
      <ol className={classes.tries} aria-label={t("webhooks.tries", { count: attempts.length })}>
        {attempts.map((each) => (
          <li key={each.time}>
            {instant(each.time)} · {each.status ?? "–"} · {said(each) ?? each.message} ·{" "}
            {shortDuration(each.milliseconds)}
          </li>
        ))}
      </ol>
      <Refusal error={again.error} />
    </li>
  );
}
