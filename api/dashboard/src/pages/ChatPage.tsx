import { ActionIcon, Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import { ApiError } from "../api/client";
import { useAgent } from "../api/queries";
import { AgentCard } from "../chat/AgentCard";
import { useBeginning } from "../chat/begin";
import { Composer } from "../chat/Composer";
import { Conversations } from "../chat/Conversations";
import { moveDraft } from "../chat/drafts";
import { MessageList } from "../chat/MessageList";
import { useConversations, useOlder, usePersonId } from "../chat/queries";
import { sendingIn, type Talk, type TalkState } from "../chat/talk";
import { agentIn, testRunIn, writingIn } from "../chat/thread";
import { useEnd } from "../chat/useEnd";
import { useSay, useTalk } from "../chat/useTalk";
import { useIsOver } from "../live/state";
import { Icon } from "../parts/icons";
import { PageHead } from "../parts/Page";
import { Requests } from "../parts/Requests";
import { Failure, Refusal, Rows } from "../parts/States";
import { useWords } from "../words/words";
import classes from "./ChatPage.module.css";
import { MissingPage } from "./MissingPage";

/** On a phone, a focused field covers half of the page with keys. */
const HAS_KEYBOARD = matchMedia("(pointer: fine)").matches;

/** Talking with the assistant that designs agents; the agent stands beside what is said. */
export default function ChatPage({ id }: { id: string | null }) {
  const person = usePersonId();
  if (useIsOver()) return <Failure error={new ApiError(401, "")} />;
  if (!person) return <Rows count={4} />;
  return <Talking key={person} person={person} id={id} />;
}

function Talking({ person, id }: { person: string; id: string | null }) {
  const { talk, state } = useTalk(person, id);
  const [, go] = useLocation();
  const [query] = useSearchParams();
  const agent = agentIn(state.thread) ?? (id === null ? query.get("agent") : null);
  const makeSay = useSay(id, agent);
  const beginning = useBeginning();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what another page began is said once
  useEffect(() => {
    if (beginning && id === null) talk.say(makeSay(beginning.text, beginning.sayId));
  }, [beginning?.sayId]);
  useEffect(() => {
    if (!state.begun || id !== null) return;
    moveDraft(person, state.begun);
    go(`/chat/${state.begun}`, { replace: true });
  }, [state.begun, id, go, person]);
  if (id !== null && state.refusal?.status === 404 && !state.refused) {
    return <MissingPage what="conversation" />;
  }
  return (
    <div className={classes.page}>
      <Sidebar id={id} />
      <div className={classes.talk}>
        <Head id={id} state={state} agent={agent} />
        <Body
          person={person}
          id={id}
          agent={agent}
          talk={talk}
          state={state}
          say={(text) => talk.say(makeSay(text))}
        />
      </div>
      <div className={classes.card}>
        <AgentCard id={agent} testRun={testRunIn(state.thread)} />
      </div>
    </div>
  );
}

/** Beside the conversation; in a narrow window it opens above it. */
function Sidebar({ id }: { id: string | null }) {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <nav className={classes.side} aria-label={t("chat.list")} data-open={isOpen || undefined}>
      <div className={classes.bar}>
        <Button
          variant="default"
          size="compact-sm"
          aria-expanded={isOpen}
          leftSection={<Icon name="chat" size={16} />}
          onClick={() => setOpen(!isOpen)}
        >
          {t("chat.list")}
        </Button>
        {id !== null && !isOpen && (
          <Button
            variant="default"
            size="compact-sm"
            component={Link}
            href="/chat"
            leftSection={<Icon name="plus" size={15} />}
          >
            {t("chat.new")}
          </Button>
        )}
      </div>
      <div className={classes.list}>
        <Conversations open={id} leave={() => setOpen(false)} />
      </div>
    </nav>
  );
}

function Head({ id, state, agent }: { id: string | null; state: TalkState; agent: string | null }) {
  const { t } = useWords();
  const talks = useConversations();
  // The list follows the reports, so it knows of a new name first.
  const talk = talks.data?.find((each) => each.id === id) ?? state.thread.conversation;
  if (id !== null) {
    return (
      <div className={classes.head}>
        <PageHead title={talk?.title || t("chat.untitled")} />
      </div>
    );
  }
  return agent ? <AboutAgent id={agent} /> : <Welcome />;
}

function Welcome() {
  const { t } = useWords();
  return (
    <PageHead title={t("chat.welcome")} detail={t("chat.welcomeDetail")} tab={t("chat.title")} />
  );
}

function AboutAgent({ id }: { id: string }) {
  const { t } = useWords();
  const agent = useAgent(id);
  const name = agent.data?.name ?? "";
  return <PageHead title={name} detail={t("chat.aboutAgent")} tab={t("chat.title")} />;
}

interface Shown {
  id: string | null;
  talk: Talk;
  state: TalkState;
}

function Body({
  person,
  id,
  agent,
  talk,
  state,
  say,
}: Shown & { person: string; agent: string | null; say: (text: string) => void }) {
  const { t } = useWords();
  const sending = sendingIn(state);
  const isThere = state.thread.cursor !== null;
  const { end, isAway, jump } = useEnd(isThere, sending.length > 0);
  const isBlank = id === null && sending.length === 0;
  return (
    <>
      {isThere || id === null ? (
        <Said key={id} id={id} talk={talk} state={state} />
      ) : (
        <Rows count={3} height={72} />
      )}
      {isBlank && !agent && <Requests say={say} />}
      <div ref={end} className={classes.end} />
      <div className={classes.foot}>
        {isAway && !isBlank && (
          <ActionIcon
            className={classes.jump}
            variant="default"
            radius="xl"
            size="lg"
            aria-label={t("chat.jump")}
            onClick={jump}
          >
            <Icon name="down" size={18} />
          </ActionIcon>
        )}
        <Refusal error={state.refusal} />
        {!state.isOpen && <Offline />}
        <Composer
          key={state.refused?.id ?? id ?? "new"}
          person={person}
          conversation={id}
          say={say}
          stop={writingIn(state.thread) ? () => talk.stop() : undefined}
          start={state.refused?.text ?? ""}
          isFirst={HAS_KEYBOARD}
          isTall={isBlank}
          placeholder={isBlank && !agent ? t("chat.placeholder") : t("chat.reply")}
        />
      </div>
    </>
  );
}

/** Only after a moment: a connection that is just being made is none that was lost. */
function Offline() {
  const { t } = useWords();
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), 1500);
    return () => clearTimeout(timer);
  }, []);
  return isLong ? (
    <p className={classes.offline} role="status">
      {t("chat.offline")}
    </p>
  ) : null;
}

function Said({ id, talk, state }: Shown) {
  const { t } = useWords();
  const add = useOlder(id ?? "", (messages) => id && talk.addOlder(id, messages));
  const { messages } = state.thread;
  const mayHaveMore = messages.length >= 100 && !add.isEnd;
  return (
    <>
      {mayHaveMore && (
        <Button
          className={classes.older}
          variant="default"
          size="compact-sm"
          loading={add.isPending}
          onClick={add.read}
        >
          {t("chat.older")}
        </Button>
      )}
      <Refusal error={add.error} />
      <MessageList
        messages={messages}
        sending={sendingIn(state)}
        isOpen={state.isOpen}
        goOn={(message) => talk.goOn(message)}
      />
    </>
  );
}
