"""What a client asks, read from bytes; and what is answered."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

import h11

MOST_HEAD_BYTES: Final = 32 * 1024
ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
_PHRASES: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class HeadError(Exception):
    """What came is no request."""


@dataclass(frozen=True)
class Head:
    """A request's first part, and the bytes that came behind it."""

    method: str
    target: str
    key: str
    """What `Proxy-Authorization` presents; empty without."""
    rest: bytes = b""


class HeadReader:
    """Takes bytes until a head is whole."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.SERVER, MOST_HEAD_BYTES)

    def take(self, received: bytes) -> Head | None:
        """The head once it is there. Raises HeadError."""
        try:
            self._connection.receive_data(received)
            event = self._connection.next_event()
        except h11.RemoteProtocolError as error:
            raise HeadError(str(error)) from error
        if isinstance(event, h11.Request):
            return self._read(event)
        if event is h11.NEED_DATA:
            return None
        raise HeadError("the connection ended before its request")

    def _read(self, request: h11.Request) -> Head:
        if request.method == b"CONNECT":
            self._connection.next_event()  # it has no body: what follows is the tunnel's
        return Head(
            method=request.method.decode("ascii"),
            target=request.target.decode("ascii"),
            key=presented_key(dict(request.headers).get(b"proxy-authorization", b"")),
            rest=bytes(self._connection.trailing_data[0]),
        )


def presented_key(value: bytes) -> str:
    """The password of Basic, which is what clients make of a proxy's address; or a bearer's."""
    scheme, _, token = value.decode("latin-1").strip().partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(token, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def build_answer(status: int, text: str, kind: str = "text/plain; charset=utf-8") -> bytes:
    """A whole answer, after which the connection is closed."""
    body = text.encode()
    lines = [
        f"HTTP/1.1 {status} {_PHRASES[status]}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    if status == 407:
        lines.append('Proxy-Authenticate: Basic realm="heliostat"')
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
