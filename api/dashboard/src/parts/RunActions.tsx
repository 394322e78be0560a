import { Button } from "@mantine/core";
import type { Execution } from "../api/views";
import { useCommand, useStart } from "../lib/commands";
import { useWords } from "../words/words";
import { Confirm } from "./Confirm";
import { Icon } from "./icons";
import classes from "./RunActions.module.css";
import { Refusal } from "./States";

/** What a person may do with a run: stop it while it goes on, run it again afterwards. */
export function RunActions({ run }: { run: Execution }) {
  const { t } = useWords();
  if (!run.isOwned) return <p className={classes.foreign}>{t("run.foreign")}</p>;
  return run.isFinished ? <Again run={run} /> : <Stop run={run} />;
}

function Again({ run }: { run: Execution }) {
  const { t } = useWords();
  const start = useStart();
  return (
    <div className={classes.actions}>
      <Button
        leftSection={<Icon name="again" size={16} />}
        loading={start.isPending}
        onClick={() => start.mutate({ path: againPath(run) })}
      >
        {t("run.rerun")}
      </Button>
      <Refusal error={start.error} />
    </div>
  );
}

/** The resource of a test run goes with it: the draft is tested anew. */
function againPath(run: Execution): string {
  return run.testOf ? `/api/agents/${run.testOf}/test` : `/api/executions/${run.id}/rerun`;
}

/** That it was taken shows when a report says so. */
function Stop({ run }: { run: Execution }) {
  const { t } = useWords();
  const cancel = useCommand();
  return (
    <div className={classes.actions}>
      <Confirm
        label={t("run.cancel")}
        ask={t("run.cancelAsk")}
        yes={t("run.cancelYes")}
        no={t("run.cancelNo")}
        icon={<Icon name="stop" size={16} />}
        isPending={run.phase === "Stopping" || cancel.isPending || cancel.isSuccess}
        onYes={() => cancel.mutate(`/api/executions/${run.id}/cancel`)}
      />
      <Refusal error={cancel.error} />
    </div>
  );
}
