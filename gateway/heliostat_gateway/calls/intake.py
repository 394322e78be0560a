"""A request on its way in: its headers, its body, its id."""

import os
import time
from typing import Final

from fastapi import Request

from heliostat_gateway.errors import RefusalError, invalid_request
from heliostat_gateway.headers import Headers, end_to_end
from heliostat_json.encoding import parse_object
from heliostat_json.objects import JsonObject

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
