import type { QueryClient } from "@tanstack/react-query";
import { applyReport, applySnapshot } from "./cache";
import type { Frame } from "./frames";
import { joinStream, type Line } from "./link";
import { liveState, publish } from "./state";
import { afterReport, fromSnapshot } from "./world";

let line: Line | null = null;

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
      if (frame.link.state === "connected") readAgain(client);
      publish({ link: frame.link });
      break;
    case "snapshot":
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

/** What could not be read while the server was away. */
function readAgain(client: QueryClient): void {
  void client.refetchQueries({ predicate: (query) => query.state.status === "error" });
}
