import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useId, useRef } from "react";
import { useModels } from "../api/agents";
import { useWords } from "../words/words";
import { isTree, valueAt } from "./contents";
import classes from "./EditForm.module.css";
import { withField } from "./editing";
import { Choice, Line, Lines, Names, Suggested } from "./Field";
import { useForm } from "./form";
import { Hosts } from "./Hosts";
import { ruleAt } from "./rules";
import { ScheduleEditor } from "./ScheduleEditor";
import { SecretVariables, Variables } from "./Variables";

/** Claude Code's own tools; a rule may narrow one, as in Bash(python3:*). */
const TOOLS = [
  "Bash",
  "Edit",
  "Glob",
  "Grep",
  "NotebookEdit",
  "Read",
  "Task",
  "TodoWrite",
  "WebFetch",
  "WebSearch",
  "Write",
];

/** The whole of an agent, in groups that belong together. */
export function EditForm() {
  const { t } = useWords();
  const models = useModels().data?.items ?? [];
  return (
    <div className={classes.form}>
      <Group title={t("group.task")}>
        <Line path="name" />
        <Line path="description" hint={t("hint.description")} />
        <Lines path="spec.prompt" rows={6} hint={t("hint.prompt")} />
      </Group>
      <Group title={t("group.model")}>
        <Suggested
          path="spec.model.name"
          data={models.map(({ name }) => name)}
          hint={t("hint.model")}
        />
      </Group>
      <Group title={t("group.tools")} detail={t("group.toolsDetail")}>
        <Names path="spec.tools.allow" data={TOOLS} hint={t("hint.allow")} />
        <Names path="spec.tools.deny" data={TOOLS} hint={t("hint.deny")} />
      </Group>
      {ruleAt("spec.schedule") && (
        <Group title={t("group.schedule")}>
          <ScheduleEditor />
        </Group>
      )}
      <Group title={t("group.limits")} detail={t("group.limitsDetail")}>
        <Pair>
          <Line path="spec.limits.maxCostMicros" hint={t("hint.cost")} unit={t("unit.dollars")} />
          <Line path="spec.limits.timeoutSeconds" hint={t("hint.time")} unit={t("unit.minutes")} />
          <Line path="spec.limits.maxTurns" hint={t("hint.turns")} />
          <Line path="spec.limits.maxTokens" hint={t("hint.tokens")} />
        </Pair>
      </Group>
      <Group title={t("group.verify")} detail={t("group.verifyDetail")}>
        <Verify />
      </Group>
      <Group title={t("group.retry")}>
        <Pair>
          <Line path="spec.retry.limit" hint={t("hint.retries")} />
          <Line path="spec.retry.backoffSeconds" hint={t("hint.waits")} />
        </Pair>
      </Group>
      <Group title={t("group.workspace")}>
        <Workspace />
      </Group>
      <Group title={t("group.order")}>
        <Pair>
          <Line path="spec.maxConcurrentExecutions" />
          <Line path="spec.priority" hint={t("hint.priority")} />
          <Line path="spec.history.successful" />
          <Line path="spec.history.failed" />
          <Line path="spec.history.ttlSeconds" hint={t("hint.keptFor")} unit={t("unit.minutes")} />
        </Pair>
      </Group>
      <Group title={t("group.runtime")}>
        <Runtime />
        <Line path="spec.runtime.stallSeconds" hint={t("hint.stall")} unit={t("unit.minutes")} />
      </Group>
    </div>
  );
}

function Group({
  title,
  detail,
  children,
}: {
  title: string;
  detail?: string;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={classes.group} aria-labelledby={id}>
      <div className={classes.about}>
        <h2 id={id}>{title}</h2>
        {detail && <p>{detail}</p>}
      </div>
      <div className={classes.fields}>{children}</div>
    </section>
  );
}

function Pair({ children }: { children: ReactNode }) {
  return <div className={classes.pair}>{children}</div>;
}

function Workspace() {
  const { editing } = useForm();
  const { t } = useWords();
  const isVolume = valueAt(editing.content, "spec.workspace.storage.type") === "Volume";
  return (
    <>
      <Line path="spec.workspace.image" hint={t("hint.image")} />
      <Pair>
        <Line path="spec.workspace.resources.cpu" hint={t("hint.cpu")} />
        <Line path="spec.workspace.resources.memory" hint={t("hint.memory")} />
        <Choice
          path="spec.workspace.storage.type"
          fallback="Ephemeral"
          options={[
            { value: "Ephemeral", label: t("storage.Ephemeral") },
            { value: "Volume", label: t("storage.Volume") },
          ]}
        />
        {isVolume && <Line path="spec.workspace.storage.size" hint={t("hint.size")} />}
      </Pair>
      <Variables />
      <SecretVariables />
      <Hosts />
    </>
  );
}

/** One of several ways, each with fields of its own; what was written in another comes back. */
function Ways<Way extends string>({
  label,
  path,
  ways,
  wayOf,
}: {
  label: string;
  path: string;
  ways: readonly { value: Way; label: string; empty: unknown }[];
  wayOf: (value: unknown) => Way;
}) {
  const { editing, change, isLocked } = useForm();
  const left = useRef<Partial<Record<Way, unknown>>>({});
  const value = valueAt(editing.content, path);
  const way = wayOf(value);
  return (
    <SegmentedControl
      className={classes.ways}
      aria-label={label}
      readOnly={isLocked}
      value={way}
      data={ways.map(({ value, label }) => ({ value, label }))}
      onChange={(next) => {
        left.current[way] = value;
        const empty = ways.find((each) => each.value === next)?.empty;
        change((now) => withField(now, path, left.current[next] ?? empty));
      }}
    />
  );
}

function Verify() {
  const { editing } = useForm();
  const { t } = useWords();
  const verify = valueAt(editing.content, "spec.verify");
  const way = wayOfVerify(verify);
  return (
    <>
      <Ways
        label={t("group.verify")}
        path="spec.verify"
        wayOf={wayOfVerify}
        ways={[
          { value: "none", label: t("verify.none"), empty: undefined },
          { value: "files", label: t("verify.files"), empty: { files: [] } },
          { value: "command", label: t("verify.command"), empty: { command: [] } },
        ]}
      />
      {way === "none" && <p className={classes.hint}>{t("verify.noneHint")}</p>}
      {way === "files" && <Lines path="spec.verify.files" rows={2} hint={t("hint.files")} />}
      {way === "command" && (
        <Lines path="spec.verify.command" rows={2} hint={t("hint.arguments")} />
      )}
    </>
  );
}

function wayOfVerify(verify: unknown): "none" | "files" | "command" {
  if (!isTree(verify)) return "none";
  return "command" in verify ? "command" : "files";
}

function Runtime() {
  const { editing } = useForm();
  const { t } = useWords();
  const isCommand = wayOfRuntime(valueAt(editing.content, "spec.runtime.command")) === "command";
  return (
    <>
      <Ways
        label={t("group.runtime")}
        path="spec.runtime.command"
        wayOf={wayOfRuntime}
        ways={[
          { value: "claude", label: "Claude Code", empty: undefined },
          { value: "command", label: t("runtime.command"), empty: [] },
        ]}
      />
      {isCommand && <Lines path="spec.runtime.command" rows={2} hint={t("hint.arguments")} />}
    </>
  );
}

function wayOfRuntime(command: unknown): "claude" | "command" {
  return Array.isArray(command) ? "command" : "claude";
}
