import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { agentPath, usePreview } from "../api/agents";
import type { Agent } from "../api/views";
import { useOrder } from "../lib/orders";
import { Callout } from "../parts/Callout";
import { Failure, Refusal, Rows } from "../parts/States";
import { useWords } from "../words/words";
import { Changes, type Shown } from "./Changes";
import { isSame } from "./contents";
import classes from "./Dialogs.module.css";
import { useFieldName } from "./form";
import { Cost, Missing, Touches, Warnings } from "./Outlook";
import { defaultAt } from "./rules";

/** What activation would do, before it does: what it may cost, what it may touch, what changed. */
export function ActivateDialog({
  agent,
  isOpen,
  close,
}: {
  agent: Agent;
  isOpen: boolean;
  close: () => void;
}) {
  const { t } = useWords();
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      size="lg"
      title={t("activate.title", { name: agent.name })}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      {isOpen && <Asked agent={agent} close={close} />}
    </Modal>
  );
}

function Asked({ agent, close }: { agent: Agent; close: () => void }) {
  const { t, language } = useWords();
  const order = useOrder();
  const [asked] = useState(agent.revision);
  const preview = usePreview({ agent: agent.id }, `activate ${agent.revision}`);
  if (preview.isPending) return <Rows count={3} />;
  if (preview.isError) {
    return <Failure error={preview.error} retry={() => void preview.refetch()} />;
  }
  const { missing, errors, touches, changes, schedule } = preview.data;
  const activate = () =>
    order.mutate(
      {
        path: `${agentPath(agent.id)}/activate`,
        ...(agent.revision ? { revision: agent.revision } : {}),
      },
      { onSuccess: close },
    );
  return (
    <div className={classes.body}>
      {agent.revision !== asked && (
        <Callout
          tone="warn"
          icon="hand"
          title={t("conflict.title", { number: agent.revision ?? 0 })}
        />
      )}
      <Missing missing={missing} />
      <Warnings warnings={preview.data.warnings} />
      <Cost preview={preview.data} />
      {schedule && (
        <div>
          <h3>{t("group.schedule")}</h3>
          <p className={classes.words}>{schedule.words[language]}</p>
        </div>
      )}
      {touches && <Touches touches={touches} />}
      <Drift agent={agent} />
      <div>
        <h3>{agent.appliedRevision ? t("activate.changes") : t("activate.first")}</h3>
        <Changes
          changes={agent.appliedRevision ? changes : changes.filter(isSaid)}
          label={t("activate.changes")}
        />
      </div>
      <Refusal error={order.error} />
      <div className={classes.buttons}>
        <Button variant="default" onClick={close}>
          {t("app.cancel")}
        </Button>
        <Button
          // What is shown may be of the revision before.
          disabled={preview.isPlaceholderData || missing.length > 0 || errors.length > 0}
          loading={order.isPending}
          onClick={activate}
        >
          {t("activate.yes")}
        </Button>
      </div>
    </div>
  );
}

/** Of an agent that is new, what is not as it is anyway. */
function isSaid({ field, after }: Shown): boolean {
  return !isSame(after, defaultAt(field)) && field !== "spec.suspend";
}

/** Fields of the resource that somebody else changed since. */
export function Drift({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const name = useFieldName();
  if (agent.drift.length === 0) return null;
  return (
    <p className={classes.drift}>
      {t("activate.drift", { fields: agent.drift.map(name).join(", ") })}
    </p>
  );
}
