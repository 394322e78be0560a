import type { Agent } from "../api/views";
import { useWords } from "../words/words";
import { Pill } from "./Phase";

/** Whether an agent could run now, or runs. */
export function AgentState({ agent }: { agent: Agent }) {
  const { t } = useWords();
  if (agent.status === "draft") return <Pill tone="calm">{t("agent.draft")}</Pill>;
  if (agent.isReady === false) return <Pill tone="bad">{t("agent.notReady")}</Pill>;
  if (agent.activeExecutions > 0) {
    return (
      <Pill tone="busy" isMoving>
        {t("agent.live", { count: agent.activeExecutions })}
      </Pill>
    );
  }
  if (agent.status === "inactive") return <Pill tone="calm">{t("agent.inactive")}</Pill>;
  if (agent.isReady === null) return <Pill tone="calm">{t("agent.unknown")}</Pill>;
  return <Pill tone="good">{t("agent.ready")}</Pill>;
}
