import { useLocation } from "wouter";
import { useHistoryState } from "wouter/use-browser-location";
import { newSayId } from "./ids";

/** What another page began with. It is in the history: a reload says it again under the same id. */
export interface Beginning {
  sayId: string;
  text: string;
}

export function useBeginning(): Beginning | null {
  const state = useHistoryState<Partial<Beginning> | null>();
  return state?.sayId && state.text ? { sayId: state.sayId, text: state.text } : null;
}

/** Opens the chat with this said. */
export function useBegin() {
  const [, go] = useLocation();
  return (text: string) => go("/chat", { state: { sayId: newSayId(), text } });
}
