import { Button, Textarea } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { agentPath } from "../api/agents";
import { ApiError } from "../api/client";
import type { AgentDetail } from "../api/views";
import { useOrder } from "../lib/orders";
import { useUnsaved } from "../lib/unsaved";
import { keys } from "../live/cache";
import { Callout } from "../parts/Callout";
import { Icon } from "../parts/icons";
import { Refusal } from "../parts/States";
import { useWords } from "../words/words";
import { SetAside } from "./Conflict";
import type { YamlText } from "./keeping";
import classes from "./YamlTab.module.css";

/** The manifest as any cluster takes it: to copy, to keep, to edit. */
export function YamlTab({
  agent,
  text,
  setText,
}: {
  agent: AgentDetail;
  /** What is being written; null: nothing. */
  text: YamlText | null;
  setText: (text: YamlText | null) => void;
}) {
  const { t } = useWords();
  const isOwn = agent.managedBy === "dashboard";
  const shown = agent.wholeYaml || agent.yaml;
  return (
    <>
      <p className={classes.about}>{t("yaml.detail")}</p>
      {text ? (
        <YamlEditor agent={agent} text={text} setText={setText} />
      ) : (
        <>
          <div className={classes.buttons}>
            <CopyYaml yaml={shown} />
            <Button
              component="a"
              variant="default"
              href={`${agentPath(agent.id)}/yaml`}
              download={`${agent.resource || "agent"}.yaml`}
              leftSection={<Icon name="down" size={16} />}
            >
              {t("yaml.download")}
            </Button>
            {isOwn && (
              <Button
                variant="default"
                onClick={() => setText({ text: agent.yaml, revision: agent.revision ?? 0 })}
              >
                {t("yaml.edit")}
              </Button>
            )}
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by key */}
          <section className={classes.yaml} tabIndex={0} aria-label={t("yaml.text")}>
            <pre>{shown}</pre>
          </section>
        </>
      )}
    </>
  );
}

function CopyYaml({ yaml }: { yaml: string }) {
  const { t } = useWords();
  const clipboard = useClipboard();
  return (
    <Button
      variant="default"
      leftSection={<Icon name={clipboard.copied ? "check" : "copy"} size={16} />}
      onClick={() => clipboard.copy(yaml)}
    >
      {clipboard.copied ? t("app.copied") : t("app.copy")}
    </Button>
  );
}

function YamlEditor({
  agent,
  text: { text, revision },
  setText,
}: {
  agent: AgentDetail;
  text: YamlText;
  setText: (text: YamlText | null) => void;
}) {
  const { t } = useWords();
  const client = useQueryClient();
  const order = useOrder();
  useUnsaved(text !== agent.yaml);
  const [aside, setAside] = useState<string | null>(null);
  const latest = agent.revision ?? 0;
  const isBehind = latest > revision;
  const save = () =>
    order.mutate(
      { method: "PUT", path: agentPath(agent.id), body: { yaml: text }, revision },
      {
        onSuccess: () => setText(null),
        onSettled: () => void client.invalidateQueries({ queryKey: keys.agentDetail(agent.id) }),
      },
    );
  const isConflict = order.error instanceof ApiError && order.error.status === 412;
  return (
    <>
      {isBehind && (
        <Callout tone="warn" icon="alert" title={t("conflict.title", { number: latest })}>
          <p className={classes.about}>{t("yaml.conflict")}</p>
          <div className={classes.buttons}>
            <Button onClick={() => setText({ text, revision: latest })}>
              {t("conflict.keep")}
            </Button>
            <Button
              variant="default"
              onClick={() => {
                setAside(text);
                setText({ text: agent.yaml, revision: latest });
              }}
            >
              {t("conflict.take")}
            </Button>
          </div>
          <div className={classes.yaml}>
            <pre>{agent.yaml}</pre>
          </div>
        </Callout>
      )}
      {aside !== null && (
        <SetAside
          takeBack={() => setText({ text: aside, revision })}
          forget={() => setAside(null)}
        />
      )}
      {!isConflict && <Refusal error={order.error} />}
      <Textarea
        classNames={{ input: classes.input }}
        aria-label={t("yaml.text")}
        autosize
        minRows={16}
        maxRows={40}
        spellCheck={false}
        value={text}
        onChange={(event) => setText({ text: event.currentTarget.value, revision })}
      />
      <div className={classes.buttons}>
        <Button disabled={isBehind || text === agent.yaml} loading={order.isPending} onClick={save}>
          {t("edit.save")}
        </Button>
        <Button variant="default" onClick={() => setText(null)}>
          {t("edit.discard")}
        </Button>
      </div>
    </>
  );
}
