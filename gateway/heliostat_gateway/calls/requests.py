"""A model call's request as its caller sent it: its headers, its body, its id."""

import os
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from fastapi import Request

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.errors import RefusalError, invalid_request
from heliostat_gateway.headers import Headers, end_to_end
from heliostat_json.objects import JsonObject, parse_object


@dataclass(frozen=True)
class ModelRequest:
    """A model call as it was asked for: by whom, in which dialect, with which body."""

    dialect: Dialect
    path: str
    query: str
    headers: Headers  # end-to-end, without the caller's credentials
    body: bytes
    document: JsonObject  # the body, parsed
    caller: Caller

    @cached_property
    def is_stream(self) -> bool:
        """Whether the answer shall come event by event."""
        return self.document.get("stream") is True

    @cached_property
    def session(self) -> str:
        """What the key is about, else Claude Code's session id; empty for other clients."""
        if self.caller.session:
            return self.caller.session
        return next((v for name, v in self.headers if name == "x-claude-code-session-id"), "")


LARGEST_BODY: Final = 64 * 1024 * 1024
_CREDENTIALS: Final = frozenset({"authorization", "x-api-key", "cookie"})


def forwarded_headers(request: Request) -> Headers:
    """The request's headers as a provider may see them: without the caller's credentials."""
    return [
        (name, value)
        for name, value in end_to_end(request.headers.items())
        if name not in _CREDENTIALS and not name.startswith("x-heliostat-")
    ]


async def read_body(request: Request) -> bytes:
    """The whole body. Raises RefusalError when it is too large or the client left."""
    body = bytearray()
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise invalid_request("The request ended before its body was complete.")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise RefusalError(
                413, "request_too_large", f"The request is larger than {LARGEST_BODY} bytes."
            )
        more = message.get("more_body", False)
    return bytes(body)


def new_request_id() -> str:
    """An id that is unique, and sorts by time for people who read logs."""
    return f"req_{int(time.time()):x}{os.urandom(8).hex()}"


def parse_document(body: bytes) -> JsonObject:
    """The JSON object of a request. Raises RefusalError (400)."""
    document = parse_object(body)
    if document is None:
        raise invalid_request("The body must be a JSON object.")
    return document


def known_headers(request: Request) -> dict[str, str]:
    """The x-heliostat headers of a request as far as they are known; its id from the start."""
    found: dict[str, str] | None = request.scope.get("heliostat")
    if found is None:
        found = request.scope["heliostat"] = {"x-heliostat-request-id": new_request_id()}
    return found
