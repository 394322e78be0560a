import type { Agent } from "../api/views";
import { TriggerKeys } from "../webhooks/TriggerKeys";
import { Webhooks } from "../webhooks/Webhooks";

/** Who starts it from elsewhere, and who is told what went wrong with it. */
export default function WebhooksTab({ agent }: { agent: Agent }) {
  return (
    <>
      <TriggerKeys agent={agent.id} />
      <Webhooks agent={agent.id} />
    </>
  );
}
