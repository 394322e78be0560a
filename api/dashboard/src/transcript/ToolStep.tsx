import { useId } from "react";
import { printJson } from "../lib/json";
import { visible } from "../lib/visible";
import { Icon, type IconName } from "../parts/icons";
import { Printed } from "../parts/Printed";
import { useWords } from "../words/words";
import type { ItemOf } from "./items";
import { type Fields, textAt } from "./json";
import { useOpened } from "./opened";
import classes from "./Steps.module.css";
import { subjectOf } from "./timeline";

type Call = ItemOf<"tool">;

const ICONS: Record<string, IconName> = {
  Bash: "terminal",
  Read: "file",
  Write: "file",
  Edit: "file",
  NotebookEdit: "file",
  WebFetch: "globe",
  WebSearch: "globe",
  Grep: "search",
  Glob: "search",
  Task: "agents",
};

/** What a call without a result is: it goes on, it was cut off, or its result was not read yet. */
export type OpenCall = "running" | "cut" | "unknown";

/** One call of a tool: a line that opens to what went in and what came out. */
export function ToolStep({
  item,
  folder,
  open,
  said,
}: {
  item: Call;
  folder: string;
  open: OpenCall;
  /** Words for the call, where the tool's name and input say little. */
  said?: { title: string; subject: string };
}) {
  const { t } = useWords();
  const [isOpen, setOpen] = useOpened(item.key);
  const body = useId();
  return (
    <div className={classes.tool} data-state={stateOf(item, open)}>
      <button
        type="button"
        className={classes.call}
        aria-expanded={isOpen}
        aria-controls={isOpen ? body : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        <span className={classes.chevron}>
          <Icon name="chevron" size={14} />
        </span>
        <Icon name={ICONS[item.name] ?? "wrench"} size={16} />
        <span className={classes.toolName}>
          {said?.title ?? t("steps.tool", { name: item.name })}
        </span>
        <span className={classes.subject}>
          {said?.subject ?? visible(subjectOf(item.input, folder) || item.draft.slice(0, 300))}
        </span>
        <State item={item} open={open} />
      </button>
      {isOpen && (
        <div id={body} className={classes.body}>
          <Input item={item} />
          <Result item={item} />
        </div>
      )}
    </div>
  );
}

const OPEN = { running: "Running", cut: "Cut", unknown: "Unknown" } as const;

type CallState = "Done" | "Failed" | (typeof OPEN)[OpenCall];

function stateOf(item: Call, open: OpenCall): CallState {
  if (item.result) return item.result.isError ? "Failed" : "Done";
  return OPEN[open];
}

function State({ item, open }: { item: Call; open: OpenCall }) {
  const { t, shortDuration } = useWords();
  const state = stateOf(item, open);
  const took = item.time && item.endTime ? Date.parse(item.endTime) - Date.parse(item.time) : null;
  return (
    <span className={classes.state}>
      {took !== null && <span>{shortDuration(took)}</span>}
      {state === "Done" ? (
        <>
          <Icon name="check" size={15} />
          <span className={classes.hidden}>{t("steps.toolDone")}</span>
        </>
      ) : (
        t(`steps.tool${state}`)
      )}
    </span>
  );
}

function Input({ item }: { item: Call }) {
  const { t } = useWords();
  const text = inputText(item);
  return text ? <Panel label={t("steps.input")} text={text} /> : null;
}

function Result({ item }: { item: Call }) {
  const { t } = useWords();
  if (!item.result) return null;
  const { text, pictures } = item.result;
  return (
    <>
      <Panel label={t("steps.output")} text={text || t("steps.noOutput")} />
      {pictures.map((picture) => (
        <img
          key={picture.address}
          className={classes.picture}
          src={picture.address}
          alt={t("steps.picture", { name: item.name })}
        />
      ))}
    </>
  );
}

function Panel({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <span className={classes.label}>{label}</span>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard */}
      <pre className={classes.code} tabIndex={0}>
        <Printed text={text} />
      </pre>
    </div>
  );
}

/** The part of the input that a person reads: a command, a file's new text, else all of it. */
function inputText({ name, input, draft }: Call): string {
  if (Object.keys(input).length === 0) return draft;
  if (name === "Bash") return textAt(input, "command");
  if (name === "Write") return textAt(input, "content");
  if (name === "Edit") return edited(input);
  return printJson(input, 2);
}

function edited(input: Fields): string {
  const lines = (mark: string, text: string) => text.split("\n").map((line) => `${mark} ${line}`);
  return [
    ...lines("-", textAt(input, "old_string")),
    ...lines("+", textAt(input, "new_string")),
  ].join("\n");
}
