"""Bodies of requests, read no further than they may be long."""

from http import HTTPStatus
from typing import Final

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliostat_api.base.texts import Text, bilingual
from heliostat_api.web.problems import ProblemError, as_problem, respond

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
