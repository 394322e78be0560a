import { Icon, type IconName } from "../parts/icons";
import { useWords } from "../words/words";
import type { PartOf, StatusCode } from "./frames";
import classes from "./MessageStatus.module.css";

const ICONS: Record<StatusCode, IconName> = {
  script: "terminal",
  thinking: "thought",
  stopped: "stop",
  interrupted: "alert",
  capReached: "coin",
  unavailable: "alert",
  failed: "cross",
};

const BAD = new Set<StatusCode>(["capReached", "unavailable", "failed"]);

/** How an answer came about, or why it went no further. */
export function Status({ part, isLive }: { part: PartOf<"status">; isLive: boolean }) {
  const { name } = useWords();
  if (part.code === "thinking") return isLive ? <Thinking /> : null;
  return (
    <div className={classes.status} data-tone={BAD.has(part.code) ? "bad" : "calm"}>
      <Icon name={ICONS[part.code] ?? "flag"} size={16} />
      <p>{part.text || name("chatStatus", part.code)}</p>
    </div>
  );
}

export function Thinking() {
  const { name } = useWords();
  return (
    <p className={classes.thinking}>
      {name("chatStatus", "thinking")}
      <span className={classes.dots} aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
    </p>
  );
}
