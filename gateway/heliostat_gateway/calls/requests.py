"""A model call's request as its caller sent it: its headers, its body, its id."""

import os
import re
import time
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from fastapi import Request

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.errors import RefusalError, invalid_request
from heliostat_gateway.headers import Headers, end_to_end
from heliostat_json.objects import JsonObject, object_at, parse_object, text_at


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
# Credentials, and the encoding of the body: the provider gets it unpacked.
_KEPT_BACK: Final = frozenset({"authorization", "x-api-key", "cookie", "content-encoding"})


def forwarded_headers(request: Request) -> Headers:
    """The request's headers as a provider may see them: without the caller's credentials."""
    return [
        (name, value)
        for name, value in end_to_end(request.headers.items())
        if name not in _KEPT_BACK and not name.startswith("x-heliostat-")
    ]


async def read_body(request: Request) -> bytes:
    """The whole body, unpacked. Raises RefusalError when it is too large or the client left."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    body = await _read(request)
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise RefusalError(
            415,
            "invalid_request_error",
            f"content-encoding: {encoding[:40]} is not read here; send gzip, or the JSON as it is.",
        )
    return _unpack(body)


def _unpack(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = unpacking.decompress(packed, LARGEST_BODY + 1)
    except zlib.error as error:
        raise invalid_request("content-encoding: the body is not gzip.") from error
    if len(body) > LARGEST_BODY:
        raise _too_large()
    if not unpacking.eof:
        raise invalid_request("content-encoding: the gzip of the body ends too early.")
    return body


def _too_large() -> RefusalError:
    return RefusalError(
        413, "request_too_large", f"The request is larger than {LARGEST_BODY} bytes."
    )


async def _read(request: Request) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise invalid_request("The request ended before its body was complete.")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise _too_large()
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


# Models that reason without being asked to.
_REASONING_MODELS: Final = re.compile(
    r"(^|[/_-])(o[1-9]|gpt-[5-9]|gemini-(2\.5|[3-9])|grok-[4-9]|deepseek-r|qwq|magistral)"
    r"|reason|think",
    re.IGNORECASE,
)


_REASONING_FIELDS: Final = frozenset({"reasoning_effort", "output_config", "reasoning", "thinking"})


def is_reasoning(document: JsonObject, model: str) -> bool:
    """Whether an answer may begin with minutes of silence: a request, in either dialect."""
    if _REASONING_FIELDS.isdisjoint(document):
        return _reasons_unasked(model)
    effort = text_at(document, "reasoning_effort")
    effort = effort or text_at(object_at(document, "output_config"), "effort")
    effort = effort or text_at(object_at(document, "reasoning"), "effort")
    kind = text_at(object_at(document, "thinking"), "type")
    if effort or kind:
        return effort not in ("", "none", "minimal") or kind in ("enabled", "adaptive")
    return _reasons_unasked(model)


@lru_cache(maxsize=256)
def _reasons_unasked(model: str) -> bool:
    return _REASONING_MODELS.search(model) is not None
