import { Button } from "@mantine/core";
import { useState } from "react";
import { agentPath, useRevision, useRevisions } from "../api/agents";
import type { Agent, RevisionSummary } from "../api/views";
import { useOrder } from "../lib/orders";
import { Pill } from "../parts/Phase";
import { Failure, Refusal, Rows } from "../parts/States";
import { Ago } from "../parts/Times";
import { useWords } from "../words/words";
import { Changes } from "./Changes";
import classes from "./HistoryTab.module.css";

/** Everything that was saved, newest first: what changed, and the way back. */
export function HistoryTab({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const revisions = useRevisions(agent.id);
  const order = useOrder();
  if (revisions.isPending) return <Rows count={4} />;
  if (revisions.isError && !revisions.data) {
    return <Failure error={revisions.error} retry={() => void revisions.refetch()} />;
  }
  const restore = (number: number) =>
    order.mutate({
      path: `${agentPath(agent.id)}/revisions/${number}/restore`,
      ...(agent.revision ? { revision: agent.revision } : {}),
    });
  return (
    <>
      <Refusal error={order.error} />
      <ol className={classes.revisions} aria-label={t("tab.history")}>
        {revisions.data.pages
          .flatMap((page) => page.items)
          .map((each) => (
            <One
              key={each.number}
              agent={agent}
              revision={each}
              isBusy={order.isPending}
              restore={() => restore(each.number)}
            />
          ))}
      </ol>
      {revisions.hasNextPage && (
        <Button
          variant="default"
          loading={revisions.isFetchingNextPage}
          onClick={() => void revisions.fetchNextPage()}
        >
          {t("app.more")}
        </Button>
      )}
    </>
  );
}

function One({
  agent,
  revision,
  isBusy,
  restore,
}: {
  agent: Agent;
  revision: RevisionSummary;
  isBusy: boolean;
  restore: () => void;
}) {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  const { number, note, createdTime } = revision;
  return (
    <li className={classes.revision}>
      <div className={classes.head}>
        <strong>{t("history.revision", { number })}</strong>
        {number === agent.appliedRevision && <Pill tone="good">{t("history.applied")}</Pill>}
        {number === agent.revision && number !== agent.appliedRevision && (
          <Pill tone="calm">{t("history.newest")}</Pill>
        )}
        <span className={classes.note}>
          <Note note={note} /> · <Ago time={createdTime} />
        </span>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {t("history.changes")}
        </Button>
        {number !== agent.revision && (
          <Button variant="default" size="compact-sm" disabled={isBusy} onClick={restore}>
            {t("history.restore")}
          </Button>
        )}
      </div>
      {isOpen && <Opened id={agent.id} number={number} />}
    </li>
  );
}

function Opened({ id, number }: { id: string; number: number }) {
  const { t } = useWords();
  const revision = useRevision(id, number);
  if (revision.isPending) return <Rows count={1} />;
  if (revision.isError) return <Failure error={revision.error} />;
  return (
    <div className={classes.opened}>
      <Changes changes={revision.data.changes} label={t("history.changes")} />
    </div>
  );
}

/** How it came about, in the person's language; the server says it in English. */
function Note({ note }: { note: string }) {
  const { t } = useWords();
  if (note === "created") return t("history.created");
  if (note === "edited") return t("history.edited");
  if (note === "by chat") return t("history.chat");
  if (note === "sample") return t("history.sample");
  const restored = /^restored from (\d+)$/.exec(note);
  if (restored) return t("history.restored", { number: restored[1] ?? "" });
  const copied = /^copied from (.+)$/.exec(note);
  return copied ? t("history.copied", { name: copied[1] ?? "" }) : note;
}
