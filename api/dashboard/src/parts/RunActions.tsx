import { Button } from "@mantine/core";
import { useState } from "react";
import type { Execution } from "../api/views";
import { useCommand, useStart } from "../lib/commands";
import { useWords } from "../words/words";
import { Icon } from "./icons";
import classes from "./RunActions.module.css";
import { Refusal } from "./States";

/** What a person may do with a run: stop it while it goes on, run it again afterwards. */
export function RunActions({ run }: { run: Execution }) {
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
        onClick={() => start.mutate({ path: `/api/executions/${run.id}/rerun` })}
      >
        {t("run.rerun")}
      </Button>
      <Refusal error={start.error} />
    </div>
  );
}

/** Stopping is for good, so it is asked twice. That it was taken shows when a report says so. */
function Stop({ run }: { run: Execution }) {
  const { t } = useWords();
  const [isAsking, setAsking] = useState(false);
  const cancel = useCommand();
  const isUnderWay = run.phase === "Stopping" || cancel.isPending || cancel.isSuccess;
  const send = () => {
    setAsking(false);
    cancel.mutate(`/api/executions/${run.id}/cancel`);
  };
  return (
    <div className={classes.actions}>
      {isAsking ? (
        <fieldset className={classes.ask}>
          <legend>{t("run.cancelAsk")}</legend>
          <Button color="red.8" autoContrast={false} onClick={send} data-autofocus>
            {t("run.cancelYes")}
          </Button>
          <Button variant="default" onClick={() => setAsking(false)}>
            {t("run.cancelNo")}
          </Button>
        </fieldset>
      ) : (
        <Button
          variant="default"
          leftSection={<Icon name="stop" size={16} />}
          loading={isUnderWay}
          onClick={() => setAsking(true)}
        >
          {t("run.cancel")}
        </Button>
      )}
      <Refusal error={cancel.error} />
    </div>
  );
}
