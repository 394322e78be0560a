"""Bodies of requests: how long they may be, and that their texts are Unicode."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from fastapi import HTTPException, Request
from pydantic import JsonValue
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.texts import Text, bilingual
from heliostat_api.web.problems import ProblemError, as_problem, refused, respond

MOST_BYTES: Final = 2 << 20
"""Of any request: an agent's prompt and a Secret's values, as JSON may write them, are less."""


class BodyLimit:
    """ASGI middleware: what is longer is refused, at once where the request says so.

    FastAPI's own limit answers with plain text.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A problem with status 413."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > self._most:
            return await respond(as_problem(too_long(self._most)))(scope, receive, send)
        return await self._app(scope, limited(receive, self._most), send)


def limited(receive: Receive, most: int) -> Receive:
    """Raises `too_long` instead of more."""
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise too_long(most)
        return message

    return receive_some


def too_long(most: int) -> HTTPException:
    """Of the one kind that FastAPI lets through where it reads a body."""
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        bilingual(
            en=f"A request may have {most >> 20} MiB: send less.",
            ko=f"요청은 {most >> 20} MiB까지 보낼 수 있습니다. 내용을 줄여 주세요.",
        ),
    )


async def read_body(request: Request, most: int, refusal: Text) -> bytes:
    """At most so many bytes. Raises a problem with status 413, in the words of `refusal`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, refusal)
    return bytes(body)


# As an escape, as bytes, or in UTF-16, which has zeros: of other bodies nothing is read twice.
_SUSPECT: Final = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]|\x00")
_HALF: Final = re.compile("[\ud800-\udfff]")


def refuse_surrogates(body: bytes) -> None:
    """Raises a problem with status 422 that names the fields. What is no JSON is left alone."""
    if not _SUSPECT.search(body):
        return
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    message = bilingual(
        en="must be Unicode: it has half of a surrogate pair",
        ko="유니코드여야 합니다. 서로게이트 쌍의 절반만 들어 있습니다",
    )
    if errors := [FieldError(field=path, message=message) for path in surrogates_in(value, "body")]:
        raise refused(errors)


def surrogates_in(value: JsonValue, path: str) -> Iterator[str]:
    """Paths of the texts that have one, of an object whose key has one its own."""
    left: list[tuple[JsonValue, str]] = [(value, path)]
    while left:
        each, here = left.pop()
        if isinstance(each, str) and _HALF.search(each):
            yield here
        elif isinstance(each, dict):
            if any(map(_HALF.search, each)):
                yield here
            left += [
                (below, f"{here}.{key}") for key, below in each.items() if not _HALF.search(key)
            ]
        elif isinstance(each, list):
            left += [(below, f"{here}.{place}") for place, below in enumerate(each)]
