import { useWords } from "../words/words";
import classes from "./Phase.module.css";

type Tone = "good" | "bad" | "busy" | "warn" | "calm";

const TONES: Record<string, Tone> = {
  Pending: "calm",
  Starting: "busy",
  Running: "busy",
  AwaitingApproval: "warn",
  Retrying: "warn",
  Stopping: "warn",
  Succeeded: "good",
  Failed: "bad",
  Cancelled: "calm",
  Skipped: "calm",
};

const MOVING = new Set(["Starting", "Running", "Retrying", "Stopping"]);

/** How far a run is: a word, and a dot that beats while it goes on. */
export function Phase({ phase }: { phase: string }) {
  const { name } = useWords();
  return (
    <Pill tone={TONES[phase] ?? "calm"} isMoving={MOVING.has(phase)}>
      {name("phase", phase)}
    </Pill>
  );
}

export function Pill({
  tone,
  isMoving = false,
  children,
}: {
  tone: Tone;
  isMoving?: boolean;
  children: React.ReactNode;
}) {
  return (
    <span className={classes.pill} data-tone={tone} data-moving={isMoving || undefined}>
      <span className={classes.dot} aria-hidden="true" />
      {children}
    </span>
  );
}
