import { ActionIcon, Button, Menu, Modal } from "@mantine/core";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { agentPath } from "../api/agents";
import type { Agent } from "../api/views";
import { useOrder } from "../lib/orders";
import { Icon } from "../parts/icons";
import { Refusal } from "../parts/States";
import { useWords } from "../words/words";
import classes from "./Dialogs.module.css";

/** What is done with an agent as a whole: copied, switched off, taken away. */
export function AgentMenu({ agent }: { agent: Agent }) {
  const { t } = useWords();
  const [, go] = useLocation();
  const [isAsking, setAsking] = useState(false);
  const order = useOrder();
  const path = agentPath(agent.id);
  const isOwn = agent.managedBy === "dashboard";
  const duplicate = () =>
    order.mutate(
      { path: `${path}/duplicate`, once: crypto.randomUUID() },
      { onSuccess: (saved) => go(`/agents/${saved.agent}?tab=edit`) },
    );
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon
            variant="default"
            size={36}
            loading={order.isPending}
            aria-label={t("agents.menu", { name: agent.name })}
          >
            <Icon name="more" size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {isOwn && (
            <Menu.Item
              component={Link}
              href={`/chat?agent=${encodeURIComponent(agent.id)}`}
              leftSection={<Icon name="chat" size={16} />}
            >
              {t("chat.change")}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<Icon name="copy" size={16} />} onClick={duplicate}>
            {t("agents.duplicate")}
          </Menu.Item>
          {agent.status === "active" && isOwn && (
            <Menu.Item
              leftSection={<Icon name="stop" size={16} />}
              onClick={() => order.mutate({ path: `${path}/deactivate` })}
            >
              {t("agents.deactivate")}
            </Menu.Item>
          )}
          {isOwn && (
            <Menu.Item
              color="var(--bad)"
              leftSection={<Icon name="cross" size={16} />}
              onClick={() => setAsking(true)}
            >
              {t("agents.delete")}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={!!order.error && !isAsking}
        onClose={order.reset}
        title={agent.name}
        closeButtonProps={{ "aria-label": t("app.close") }}
      >
        <Refusal error={order.error} />
      </Modal>
      <DeleteDialog agent={agent} isOpen={isAsking} close={() => setAsking(false)} />
    </>
  );
}

function DeleteDialog({
  agent,
  isOpen,
  close,
}: {
  agent: Agent;
  isOpen: boolean;
  close: () => void;
}) {
  const { t } = useWords();
  const [location, go] = useLocation();
  const order = useOrder();
  const path = agentPath(agent.id);
  const remove = () =>
    order.mutate(
      { method: "DELETE", path },
      {
        onSuccess: () => {
          close();
          if (location !== "/agents") go("/agents");
        },
      },
    );
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={t("agents.deleteAsk", { name: agent.name })}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <div className={classes.body}>
        <p>{t("agents.deleteDetail")}</p>
        <Refusal error={order.error} />
        <div className={classes.buttons}>
          <Button variant="default" onClick={close} data-autofocus>
            {t("app.cancel")}
          </Button>
          <Button color="red.8" autoContrast={false} loading={order.isPending} onClick={remove}>
            {t("agents.deleteYes")}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
