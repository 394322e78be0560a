import type { QueryClient } from "@tanstack/react-query";
import { forgetDrafts } from "../chat/drafts";
import { applyReport, applySnapshot } from "./cache";
import type { Frame, Link } from "./frames";
import { joinStream, type Line } from "./link";
import { askPresence } from "./presence";
import { liveState, publish } from "./state";
import { afterReport, fromSnapshot } from "./world";

let line: Line | null = null;
let client: QueryClient | null = null;
/** Whose page this is: who the first snapshot named. */
let owner: string | null = null;

/** Once for a page: from here on whatever was read follows the reports. */
export function startLive(given: QueryClient): void {
  client = given;
  line ??= joinStream((frame) => hear(given, frame));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void isStillHere();
  });
}

/**
 * Whether the browser's session is still that of whose page this is; where it is not, the page
 * says so at once. A connection that is open does not notice: its cookie was looked at when it
 * began. A server that does not answer has not said no.
 */
export async function isStillHere(): Promise<boolean> {
  if (!client || owner === null) return true;
  const presence = await askPresence();
  if (presence.kind === "unknown") return true;
  if (presence.kind === "nobody") {
    hearLink(client, { state: "over" });
    return false;
  }
  if (presence.id === owner) return true;
  forget(client);
  location.reload();
  return false;
}

export function retryLive(): void {
  line?.retry();
}

function hear(client: QueryClient, frame: Frame): void {
  const { world } = liveState();
  switch (frame.kind) {
    case "link":
      hearLink(client, frame.link);
      break;
    case "snapshot":
      if (owner !== null && owner !== frame.snapshot.person.id) {
        forget(client);
        location.reload();
        return;
      }
      owner = frame.snapshot.person.id;
      applySnapshot(client, frame.snapshot, world === null);
      publish({ world: fromSnapshot(frame.snapshot) });
      break;
    case "report": {
      if (!world) return;
      const after = afterReport(world, frame.report);
      if (after === world) return;
      applyReport(client, frame.report);
      publish({ world: after, heard: { report: frame.report, at: Date.now() } });
    }
  }
}

function hearLink(client: QueryClient, link: Link): void {
  const before = liveState().link.state;
  publish({ link });
  if (link.state === "connected") readAgain(client);
  if (link.state === "over" && before !== "over") forget(client);
}

/** Nothing of who was here before stays: what is on screen is read anew, or refused. */
function forget(client: QueryClient): void {
  forgetDrafts();
  publish({ world: null, heard: null });
  void client.resetQueries();
}

/** What could not be read while the server was away. */
function readAgain(client: QueryClient): void {
  void client.refetchQueries({ predicate: (query) => query.state.status === "error" });
}
