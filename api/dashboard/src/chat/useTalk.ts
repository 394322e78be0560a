import { useEffect, useState, useSyncExternalStore } from "react";
import { isStillHere } from "../live/start";
import { presentLanguage } from "../words/preferences";
import { useWords } from "../words/words";
import type { SayFrame } from "./frames";
import { newSayId } from "./ids";
import { Talk } from "./talk";

/** The talk of a page, following the conversation in its address; null: one yet to begin. */
export function useTalk(person: string, conversation: string | null) {
  const [talk] = useState(() => new Talk(() => new WebSocket(addressOf(person)), isStillHere));
  useEffect(() => {
    talk.connect();
    return () => talk.close();
  }, [talk]);
  useEffect(() => talk.watch(conversation), [talk, conversation]);
  useEffect(() => {
    const retry = () => talk.retry();
    addEventListener("online", retry);
    document.addEventListener("visibilitychange", retry);
    return () => {
      removeEventListener("online", retry);
      document.removeEventListener("visibilitychange", retry);
    };
  }, [talk]);
  return { talk, state: useSyncExternalStore(talk.subscribe, talk.state) };
}

function addressOf(person: string): string {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const path = `/workspace/${encodeURIComponent(person)}?language=${presentLanguage()}`;
  return `${scheme}://${location.host}${path}`;
}

/** Makes what is said: in the person's language and zone, with an id of its own. */
export function useSay(conversation: string | null, agent: string | null) {
  const { language, zone } = useWords();
  return (text: string, id = newSayId()): SayFrame => ({
    type: "say",
    id,
    conversation,
    text,
    timeZone: zone,
    language,
    agent: conversation === null ? agent : null,
  });
}
