import { Button } from "@mantine/core";
import { ApiError } from "../api/client";
import { LOG_MOST, logPath, useLog } from "../api/runs";
import type { Execution } from "../api/views";
import { bytes } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./Preview.module.css";
import { Empty, Failure, Rows } from "./States";

/** What the pod of an attempt printed. */
export function Log({ run, attempt }: { run: Execution; attempt: number }) {
  const { t } = useWords();
  const log = useLog(run, attempt);
  if (log.isPending) return <Rows count={1} height={220} />;
  const isGone = log.error instanceof ApiError && log.error.status === 404;
  if (log.error && !isGone) return <Failure error={log.error} retry={() => void log.refetch()} />;
  if (isGone || !log.data?.text) {
    return <Empty icon="terminal" title={t("logs.none")} detail={t("logs.noneDetail")} />;
  }
  return (
    <>
      <div className={classes.bar}>
        <Button
          variant="default"
          size="xs"
          loading={log.isFetching}
          onClick={() => void log.refetch()}
        >
          {t("logs.again")}
        </Button>
        <a href={logPath(run.id, attempt)} target="_blank" rel="noreferrer">
          {t("logs.open")}
        </a>
      </div>
      {log.data.isCut && <p className={classes.cut}>{t("logs.cut", { size: bytes(LOG_MOST) })}</p>}
      <section aria-label={t("logs.label", { number: attempt })}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard */}
        <pre className={classes.text} tabIndex={0}>
          {log.data.text}
        </pre>
      </section>
    </>
  );
}
