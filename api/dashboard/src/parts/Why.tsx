import type { Agent, Receipt } from "../api/views";
import { useWords } from "../words/words";
import { SystemWords } from "./SystemWords";

/** Why a time of a schedule ended as it did. Only of a refusal the server's own words say more. */
export function WhyEnded({ receipt }: { receipt: Receipt }) {
  const { name } = useWords();
  const { reason, message } = receipt;
  return (
    <>
      {name("reason", reason)}
      {reason === "Refused" && <SystemWords text={message} />}
    </>
  );
}

/** Why an agent could not run now; the server's words name what is missing. */
export function WhyNotReady({ agent }: { agent: Agent }) {
  const { name } = useWords();
  const { readyReason, readyMessage } = agent;
  if (!readyReason) return <SystemWords text={readyMessage ?? ""} isOpen />;
  return (
    <>
      <strong>{name("reason", readyReason)}</strong>{" "}
      {readyReason !== "ResourceDeleted" && <SystemWords text={readyMessage ?? ""} />}
    </>
  );
}
