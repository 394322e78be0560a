import type { QueryClient } from "@tanstack/react-query";
import { applyReport, applySnapshot } from "./cache";
import type { Frame, Link } from "./frames";
import { joinStream, type Line } from "./link";
import { liveState, publish } from "./state";
import { afterReport, fromSnapshot } from "./world";

let line: Line | null = null;
/** Whose page this is: who the first snapshot named. */
let owner: string | null = null;

/** Once for a page: from here on whatever was read follows the reports. */
export function startLive(client: QueryClient): void {
  line ??= joinStream((frame) => hear(client, frame));
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
  publish({ world: null, heard: null });
  void client.resetQueries();
}

/** What could not be read while the server was away. */
function readAgain(client: QueryClient): void {
  void client.refetchQueries({ predicate: (query) => query.state.status === "error" });
}
