"""A local server that stands between two others and remembers what was asked."""

import contextlib
import http.client
import json
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SECONDS = 30
_OF_THE_CONNECTION = frozenset({"connection", "content-length", "host", "transfer-encoding"})


@dataclass(frozen=True)
class Recorded:
    """One request as it came."""

    path: str  # with the query
    headers: dict[str, str]  # lower case
    body: bytes
    method: str
    status: int  # of the answer

    @property
    def document(self) -> dict[str, object]:
        """The body, parsed."""
        parsed: dict[str, object] = json.loads(self.body)
        return parsed


@dataclass
class RecordingProxy:
    """What came, in order."""

    url: str
    requests: list[Recorded] = field(default_factory=list)

    def taken(self) -> list[Recorded]:
        """Everything since this was asked last."""
        found = list(self.requests)
        del self.requests[: len(found)]
        return found


@contextlib.contextmanager
def run_recording_proxy(target: str) -> Iterator[RecordingProxy]:
    """A proxy in front of `target` (http://HOST:PORT), on a free port."""
    host = urllib.parse.urlsplit(target).netloc
    proxy = RecordingProxy("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on()

        def do_HEAD(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept = {k: v for k, v in headers.items() if k not in _OF_THE_CONNECTION}
            upstream = http.client.HTTPConnection(host, timeout=_SECONDS)
            with contextlib.closing(upstream):
                upstream.request(self.command, self.path, body or None, kept)
                answer = upstream.getresponse()
                proxy.requests.append(
                    Recorded(self.path, headers, body, self.command, answer.status)
                )
                self._relay(answer)

        def _relay(self, answer: http.client.HTTPResponse) -> None:
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("connection", "close")  # the end of the body is the connection's
            self.end_headers()
            with contextlib.suppress(http.client.HTTPException, OSError):
                while chunk := answer.read1(65536):
                    self.wfile.write(chunk)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
