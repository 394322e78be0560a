"""A receiver of webhooks on this machine, and signatures by OpenSSL: nothing of ours is in them."""

import base64
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override


@dataclass(frozen=True)
class Received:
    """One request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Whether its signature is that of the secret, as OpenSSL has it."""
        made = sign(secret, self.id, self.headers["webhook-timestamp"], self.body)
        return self.headers["webhook-signature"] == made


@dataclass
class Receiver:
    """What came in. `answers` are the next statuses; 204 when there is none left."""

    received: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""

    def answer(self, headers: Mapping[str, str], body: bytes) -> int:
        self.received.append(Received({name.lower(): headers[name] for name in headers}, body))
        return self.answers.pop(0) if self.answers else 204


def hmac_of(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256 by the openssl program."""
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}"]
    return subprocess.run([*command, "-binary"], input=text, capture_output=True, check=True).stdout


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac_of(key, f"{message_id}.{timestamp}.".encode() + body)
    return f"v1,{base64.b64encode(made).decode()}"


def sign_for_github(secret: str, body: bytes) -> str:
    """The header `X-Hub-Signature-256`."""
    return f"sha256={hmac_of(secret.encode(), body).hex()}"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A server on a port of its own."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.answer(dict(self.headers), body)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", f"{receiver.url}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
