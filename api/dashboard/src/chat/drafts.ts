/** What was written and not sent, by conversation: it stays with the tab until it is sent. */
import { useState } from "react";

const PREFIX = "heliostat.draft.";

/** `conversation` null: the one that is yet to begin. */
function nameOf(person: string, conversation: string | null): string {
  return `${PREFIX}${person}.${conversation ?? "new"}`;
}

export function keptDraft(person: string, conversation: string | null): string {
  try {
    return sessionStorage.getItem(nameOf(person, conversation)) ?? "";
  } catch {
    return "";
  }
}

export function keepDraft(person: string, conversation: string | null, text: string): void {
  try {
    if (text.trim()) sessionStorage.setItem(nameOf(person, conversation), text);
    else sessionStorage.removeItem(nameOf(person, conversation));
  } catch {
    // A browser may forbid storage, or it is full: the text is on the page only.
  }
}

/** What was written meanwhile goes on in the conversation that has begun. */
export function moveDraft(person: string, conversation: string): void {
  const text = keptDraft(person, null);
  if (!text) return;
  keepDraft(person, conversation, text);
  keepDraft(person, null, "");
}

/** Nothing that was written stays when its person goes. */
export function forgetDrafts(): void {
  try {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
    }
  } catch {
    // Then nothing was kept either.
  }
}

/** The text of a composer: `start` where there is one, else what was kept. */
export function useDraft(person: string | null, conversation: string | null, start: string) {
  const [text, setText] = useState(() => start || (person ? keptDraft(person, conversation) : ""));
  const change = (next: string) => {
    setText(next);
    if (person) keepDraft(person, conversation, next);
  };
  return [text, change] as const;
}
