import type { Agent, Receipt } from "../api/views";
import { useWords } from "../words/words";

/** Why a time of a schedule ended as it did. Only of a refusal the server's own words say more. */
export function WhyEnded({ receipt }: { receipt: Receipt }) {
  const { name } = useWords();
  const { reason, message } = receipt;
  return reason === "Refused" ? `${name("reason", reason)}: ${message}` : name("reason", reason);
}

/** Why an agent could not run now; the server's words name what is missing. */
export function WhyNotReady({ agent }: { agent: Agent }) {
  const { name } = useWords();
  const { readyReason, readyMessage } = agent;
  if (!readyReason) return readyMessage;
  return (
    <>
      <strong>{name("reason", readyReason)}</strong>{" "}
      {readyReason !== "ResourceDeleted" && readyMessage}
    </>
  );
}
