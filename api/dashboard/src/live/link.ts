import type { Frame, Wish } from "./frames";
import { Hub } from "./hub";
import { askPresence } from "./presence";

export interface Line {
  /** Try to connect now instead of at the end of the wait. */
  retry(): void;
}

/** Joins the browser's one stream; a tab that gets no SharedWorker has its own. */
export function joinStream(hear: (frame: Frame) => void): Line {
  const line = "SharedWorker" in window ? joinWorker(hear) : ownStream(hear);
  addEventListener("online", () => line.retry());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") line.retry();
  });
  return line;
}

function joinWorker(hear: (frame: Frame) => void): Line {
  let own: Line | null = null;
  const connect = () =>
    connectWorker(hear, () => {
      own ??= ownStream(hear);
    });
  let port = connect();
  const say = (wish: Wish) => port.postMessage(wish);
  addEventListener("pagehide", () => say({ kind: "leave" }));
  // Back from the browser's memory of pages: what was said meanwhile was not heard.
  addEventListener("pageshow", (event) => {
    if (event.persisted && !own) port = connect();
  });
  return { retry: () => (own ? own.retry() : say({ kind: "retry" })) };
}

/** `isMissing`: its file could not be fetched, and nobody tries again. */
function connectWorker(hear: (frame: Frame) => void, isMissing: () => void): MessagePort {
  const worker = new SharedWorker(new URL("./shared.ts", import.meta.url), {
    type: "module",
    name: "heliostat-live",
  });
  worker.port.onmessage = ({ data }: MessageEvent<Frame>) => hear(data);
  worker.onerror = isMissing;
  return worker.port;
}

function ownStream(hear: (frame: Frame) => void): Line {
  const hub = new Hub((address) => new EventSource(address), askPresence);
  hub.join(hear);
  return { retry: () => hub.retry() };
}
