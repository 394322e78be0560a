import { Button } from "@mantine/core";
import { memo } from "react";
import type { Message } from "../api/views";
import { Icon, Sun } from "../parts/icons";
import { Ago } from "../parts/Times";
import { money } from "../words/formats";
import { useWords } from "../words/words";
import type { SayFrame } from "./frames";
import classes from "./MessageList.module.css";
import { Parts } from "./MessageParts";
import { Thinking } from "./MessageStatus";

/** What was said, oldest first. */
export function MessageList({
  messages,
  sending,
  isOpen,
  goOn,
}: {
  messages: readonly Message[];
  sending: readonly SayFrame[];
  isOpen: boolean;
  goOn: (message: string) => void;
}) {
  const { t } = useWords();
  const last = messages.at(-1);
  const first = messages.find(({ role }) => role !== "user");
  return (
    <div
      role="log"
      className={classes.messages}
      aria-label={t("chat.messages")}
      aria-busy={last?.state === "writing"}
    >
      {messages.map((message) =>
        message.role === "user" ? (
          <Said key={message.id} message={message} />
        ) : (
          <Answer
            key={message.id}
            message={message}
            isFirst={message === first}
            goOn={message === last && sending.length === 0 ? goOn : undefined}
          />
        ),
      )}
      {sending.map((frame) => (
        <Sending key={frame.id} text={frame.text} isOpen={isOpen} />
      ))}
    </div>
  );
}

const Said = memo(function Said({ message }: { message: Message }) {
  const { t } = useWords();
  return (
    <article className={classes.said} aria-label={t("chat.you")}>
      <div className={classes.bubble}>
        {message.parts.map((part, number) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: parts are never moved
          part.type === "text" ? <p key={number}>{part.text}</p> : null,
        )}
      </div>
      <span className={classes.when}>
        <Ago time={message.time} />
      </span>
    </article>
  );
});

/** On its way: it is drawn as said once it comes back as a message. */
function Sending({ text, isOpen }: { text: string; isOpen: boolean }) {
  const { t } = useWords();
  return (
    <article className={classes.said} aria-label={t("chat.you")} data-sending="">
      <div className={classes.bubble}>
        <p>{text}</p>
      </div>
      <span className={classes.when}>{isOpen ? t("chat.sending") : t("chat.waiting")}</span>
    </article>
  );
}

const Answer = memo(function Answer({
  message,
  isFirst,
  goOn,
}: {
  message: Message;
  isFirst: boolean;
  goOn: ((message: string) => void) | undefined;
}) {
  const { t } = useWords();
  const isWriting = message.state === "writing";
  return (
    <article className={classes.answer} aria-label={t("chat.assistant")}>
      <span className={classes.face} data-writing={isWriting || undefined}>
        <Sun size={20} />
      </span>
      <div className={classes.parts}>
        <Parts message={message} isFirst={isFirst} />
        {isWriting && message.parts.length === 0 && <Thinking />}
        {goOn && message.state === "interrupted" && <GoOn goOn={() => goOn(message.id)} />}
        {!isWriting && <Foot message={message} />}
      </div>
    </article>
  );
});

/** It never goes on by itself: that costs. */
function GoOn({ goOn }: { goOn: () => void }) {
  const { t } = useWords();
  return (
    <div>
      <Button size="xs" leftSection={<Icon name="again" size={15} />} onClick={goOn}>
        {t("chat.continue")}
      </Button>
    </div>
  );
}

function Foot({ message }: { message: Message }) {
  const { t } = useWords();
  const cost = money(message.costMicros);
  return (
    <p className={classes.foot}>
      <Ago time={message.time} />
      <span title={t("chat.cost", { cost })}>
        <span className={classes.hidden}>{t("chat.cost", { cost })}</span>
        <span aria-hidden="true">{cost}</span>
      </span>
    </p>
  );
}
