import { Button, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { useWords, type Words } from "../words/words";
import { Icon, type IconName } from "./icons";
import classes from "./States.module.css";

/** Nothing to show, and what to do about it. */
export function Empty({
  icon,
  title,
  detail,
  children,
}: {
  icon: IconName;
  title: string;
  detail?: string;
  children?: ReactNode;
}) {
  return (
    <div className={classes.empty}>
      <span className={classes.round}>
        <Icon name={icon} size={26} />
      </span>
      <p className={classes.title}>{title}</p>
      {detail && <p className={classes.detail}>{detail}</p>}
      {children}
    </div>
  );
}

/** A read that failed: what it means, and the way on. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const words = useWords();
  const isSession = error instanceof ApiError && error.status === 401;
  return (
    <div className={classes.failure} role="alert">
      <Icon name="alert" size={22} />
      <div>
        <p className={classes.title}>{words.t("error.title")}</p>
        <p className={classes.detail}>{explain(error, words)}</p>
      </div>
      {isSession ? (
        <Button variant="default" size="xs" onClick={() => location.reload()}>
          {words.t("app.reload")}
        </Button>
      ) : (
        retry && (
          <Button variant="default" size="xs" onClick={retry}>
            {words.t("app.retry")}
          </Button>
        )
      )}
    </div>
  );
}

/** A command that was not taken. */
export function Refusal({ error }: { error: unknown }) {
  const words = useWords();
  if (!error) return null;
  const fields = (error instanceof ApiError ? error.problem?.errors : null) ?? [];
  return (
    <div className={classes.failure} role="alert">
      <Icon name="alert" size={22} />
      <div>
        <p className={classes.title}>{words.t("error.command")}</p>
        {/* With fields, the words for all of it say the same. */}
        {fields.length === 0 && <p className={classes.detail}>{explain(error, words)}</p>}
        {fields.map(({ field, message }) => (
          <p key={`${field} ${message}`} className={classes.detail}>
            <code>{field}</code>: {message}
          </p>
        ))}
      </div>
    </div>
  );
}

function explain(error: unknown, { t }: Words): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return t("error.away");
  if (error.status === 401) return t("error.session");
  return error.message || t("error.status", { status: error.status });
}

/** Where rows will be. */
export function Rows({ count, height = 62 }: { count: number; height?: number }) {
  const { t } = useWords();
  return (
    <div className={classes.rows} role="status" aria-label={t("app.loading")}>
      {Array.from({ length: count }, (_, number) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <Skeleton key={number} height={height} radius="lg" />
      ))}
    </div>
  );
}
