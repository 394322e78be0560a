import { ActionIcon, Textarea } from "@mantine/core";
import type { KeyboardEvent } from "react";
import { Icon } from "../parts/icons";
import { useWords } from "../words/words";
import classes from "./Composer.module.css";
import { useDraft } from "./drafts";

/** Where a person writes. Enter sends, except while an input method is still composing. */
export function Composer({
  person,
  conversation,
  say,
  stop,
  placeholder,
  start = "",
  isTall = false,
  isFirst = false,
}: {
  /** Whose words it keeps until they are sent; null: nobody's yet. */
  person: string | null;
  conversation: string | null;
  say: (text: string) => void;
  /** There while an answer is written. */
  stop?: (() => void) | undefined;
  placeholder: string;
  start?: string;
  isTall?: boolean;
  isFirst?: boolean;
}) {
  const { t } = useWords();
  const [text, setText] = useDraft(person, conversation, start);
  const send = () => {
    if (!text.trim()) return;
    say(text.trim());
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className={classes.field}>
        <Textarea
          variant="unstyled"
          aria-label={t("chat.composer")}
          placeholder={placeholder}
          autosize
          minRows={isTall ? 3 : 1}
          maxRows={10}
          maxLength={20_000}
          autoFocus={isFirst}
          className={classes.text}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {stop ? (
          <ActionIcon size="lg" radius="xl" color="gray" onClick={stop} aria-label={t("chat.stop")}>
            <Icon name="stop" size={18} />
          </ActionIcon>
        ) : (
          <ActionIcon
            type="submit"
            size="lg"
            radius="xl"
            disabled={!text.trim()}
            aria-label={t("chat.send")}
          >
            <Icon name="send" size={18} />
          </ActionIcon>
        )}
      </div>
      <p className={classes.keys}>{t("chat.keys")}</p>
    </form>
  );
}

/** Korean is composed of several strokes, and the Enter that ends one is not meant for us. */
function isComposing(event: KeyboardEvent): boolean {
  return event.nativeEvent.isComposing || event.keyCode === 229;
}
