/** The SharedWorker: HTTP/1.1 allows a browser six connections, so all its tabs share one stream. */
import type { Frame, Wish } from "./frames";
import { Hub } from "./hub";
import { askPresence } from "./presence";

const hub = new Hub((address) => new EventSource(address), askPresence);

addEventListener("connect", (event) => {
  const port = event instanceof MessageEvent ? event.ports[0] : undefined;
  if (!port) return;
  const send = (frame: Frame) => port.postMessage(frame);
  port.onmessage = ({ data }: MessageEvent<Wish>) => {
    if (data.kind === "retry") hub.retry();
    else hub.leave(send);
  };
  hub.join(send);
});
