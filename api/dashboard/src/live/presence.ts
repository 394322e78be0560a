import type { Person } from "../api/views";

const ANSWER_MS = 10_000;

/** Whose session the browser has: somebody's, nobody's, or the server did not say. */
export type Presence = { kind: "somebody"; id: string } | { kind: "nobody" } | { kind: "unknown" };

/** A stream that is refused does not say why, so the server is asked. */
export async function askPresence(): Promise<Presence> {
  try {
    const response = await fetch("/api/me", {
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.status === 401) return { kind: "nobody" };
    if (!response.ok) return { kind: "unknown" };
    const person: Person = await response.json();
    return { kind: "somebody", id: person.id };
  } catch {
    return { kind: "unknown" };
  }
}
