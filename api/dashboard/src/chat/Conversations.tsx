import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import type { Conversation } from "../api/views";
import { Icon } from "../parts/icons";
import { Failure, Refusal, Rows } from "../parts/States";
import { Ago } from "../parts/Times";
import { useWords } from "../words/words";
import classes from "./Conversations.module.css";
import { useConversations, useRemove, useRename } from "./queries";

/** All conversations, the latest first. */
export function Conversations({ open, leave }: { open: string | null; leave: () => void }) {
  const { t } = useWords();
  const [search, setSearch] = useState("");
  return (
    <>
      <Button
        component={Link}
        href="/chat"
        onClick={leave}
        fullWidth
        variant="default"
        leftSection={<Icon name="plus" size={16} />}
      >
        {t("chat.new")}
      </Button>
      <TextInput
        className={classes.search}
        aria-label={t("chat.search")}
        placeholder={t("chat.search")}
        leftSection={<Icon name="search" size={16} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <Found open={open} search={search.trim().toLowerCase()} leave={leave} />
    </>
  );
}

function Found({
  open,
  search,
  leave,
}: {
  open: string | null;
  search: string;
  leave: () => void;
}) {
  const { t } = useWords();
  const talks = useConversations();
  if (talks.isPending) return <Rows count={4} height={44} />;
  if (talks.isError) return <Failure error={talks.error} retry={() => void talks.refetch()} />;
  const found = talks.data.filter(({ title }) => title.toLowerCase().includes(search));
  if (found.length === 0) {
    return <p className={classes.none}>{search ? t("chat.notFound") : t("chat.none")}</p>;
  }
  return (
    <ul className={classes.list} aria-label={t("chat.list")}>
      {found.map((talk) => (
        <Row key={talk.id} talk={talk} isOpen={talk.id === open} leave={leave} />
      ))}
    </ul>
  );
}

type Doing = "nothing" | "renaming" | "deleting";

function Row({ talk, isOpen, leave }: { talk: Conversation; isOpen: boolean; leave: () => void }) {
  const [doing, setDoing] = useState<Doing>("nothing");
  const done = () => setDoing("nothing");
  return (
    <li className={classes.item} data-open={isOpen || undefined}>
      {doing === "renaming" && <Rename talk={talk} done={done} />}
      {doing === "deleting" && <Remove talk={talk} isOpen={isOpen} done={done} />}
      {doing === "nothing" && <Line talk={talk} isOpen={isOpen} leave={leave} start={setDoing} />}
    </li>
  );
}

function Line({
  talk,
  isOpen,
  leave,
  start,
}: {
  talk: Conversation;
  isOpen: boolean;
  leave: () => void;
  start: (doing: Doing) => void;
}) {
  const { t } = useWords();
  const title = talk.title || t("chat.untitled");
  return (
    <>
      <Link
        href={`/chat/${talk.id}`}
        className={classes.link}
        aria-current={isOpen ? "page" : undefined}
        onClick={leave}
      >
        <span className={classes.title}>{title}</span>
        <span className={classes.when}>
          {talk.state === "idle" && <Ago time={talk.changedTime} />}
          {talk.state === "answering" && t("chat.answering")}
          {talk.state === "interrupted" && t("chat.interrupted")}
        </span>
      </Link>
      <Menu position="bottom-end" withinPortal transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t("chat.actions", { title })}>
            <Icon name="more" size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => start("renaming")}>{t("chat.rename")}</Menu.Item>
          <Menu.Item color="red" onClick={() => start("deleting")}>
            {t("chat.delete")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

/** The new name is shown once a report brings it. */
function Rename({ talk, done }: { talk: Conversation; done: () => void }) {
  const { t } = useWords();
  const rename = useRename();
  const [title, setTitle] = useState(talk.title);
  const save = () => rename.mutate({ id: talk.id, title: title.trim() }, { onSuccess: done });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (title.trim()) save();
      }}
    >
      <TextInput
        aria-label={t("chat.renameLabel")}
        autoFocus
        maxLength={120}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && done()}
      />
      <Refusal error={rename.error} />
      <div className={classes.buttons}>
        <Button type="submit" size="compact-sm" loading={rename.isPending}>
          {t("chat.save")}
        </Button>
        <Button variant="default" size="compact-sm" onClick={done}>
          {t("chat.cancel")}
        </Button>
      </div>
    </form>
  );
}

function Remove({ talk, isOpen, done }: { talk: Conversation; isOpen: boolean; done: () => void }) {
  const { t } = useWords();
  const [, go] = useLocation();
  const remove = useRemove(() => isOpen && go("/chat"));
  return (
    <fieldset className={classes.form}>
      <legend>{t("chat.deleteAsk")}</legend>
      <Refusal error={remove.error} />
      <div className={classes.buttons}>
        <Button
          color="red.8"
          autoContrast={false}
          size="compact-sm"
          loading={remove.isPending || remove.isSuccess}
          onClick={() => remove.mutate(talk.id)}
          data-autofocus
        >
          {t("chat.deleteYes")}
        </Button>
        <Button variant="default" size="compact-sm" onClick={done}>
          {t("chat.cancel")}
        </Button>
      </div>
    </fieldset>
  );
}
