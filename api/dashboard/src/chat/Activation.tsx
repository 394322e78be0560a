import { Button } from "@mantine/core";
import { useEffect } from "react";
import type { Agent } from "../api/views";
import { Failure, Refusal, Rows } from "../parts/States";
import { useWords } from "../words/words";
import classes from "./AgentCard.module.css";
import { Changes, Cost, Touches } from "./CardFacts";
import { useActivate, usePreview } from "./queries";

/** What activation would cost, touch and change; then the person decides. */
export function Activation({ agent, done }: { agent: Agent; done: () => void }) {
  const { t } = useWords();
  const preview = usePreview(agent);
  const activate = useActivate(agent);
  const isActive = agent.status === "active" && agent.appliedRevision === agent.revision;
  // A report says that it is active, not the answer of the command.
  useEffect(() => {
    if (isActive) done();
  }, [isActive, done]);
  return (
    <section className={classes.ask} aria-label={t("card.ask", { name: agent.name })}>
      <h3>{t("card.ask", { name: agent.name })}</h3>
      <p>{t("card.askDetail")}</p>
      {preview.isPending && <Rows count={2} height={40} />}
      {preview.isError && <Failure error={preview.error} retry={() => void preview.refetch()} />}
      {preview.data && (
        <dl className={classes.facts}>
          <Cost preview={preview.data} />
          {preview.data.touches && <Touches touches={preview.data.touches} />}
          <Changes changes={preview.data.changes} />
        </dl>
      )}
      <Refusal error={activate.error} />
      <div className={classes.buttons}>
        <Button
          disabled={!preview.data}
          loading={activate.isPending || activate.isSuccess}
          onClick={() => activate.mutate()}
          data-autofocus
        >
          {t("card.yes")}
        </Button>
        <Button variant="default" onClick={done}>
          {t("card.no")}
        </Button>
      </div>
    </section>
  );
}
