"""Errors for clients: RFC 9457 problems."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TypeAlias

from fastapi import FastAPI, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose, WebSocketState

from heliostat_api.base.errors import GatewayAwayError, ProviderAwayError
from heliostat_api.base.field_errors import FieldError, words_of
from heliostat_api.base.texts import Text, bilingual, plain
from heliostat_api.base.views import View
from heliostat_api.documents.port import (
    ConflictError,
    CursorError,
    PathError,
    TooLargeError,
    UnavailableError,
)
from heliostat_core.worlds import ForbiddenError, InvalidError, WorldError
from heliostat_core.worlds import UnavailableError as WorldUnavailableError

_FAULT = re.compile(
    r"(?:^|[\s\[])\.?((?:spec|metadata)(?:\.[\w/-]+|\[[^\]]*\])*)"
    r": (?=(?:[A-Z][a-z]+(?: [a-z]+)?: |Required value|field not declared|field is immutable))"
)


def fields_of(refusal: str) -> Iterator[tuple[str, str]]:
    """Each field that is named, with what is said of it; nothing where none can be read."""
    found = list(_FAULT.finditer(refusal))
    for place, each in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(refusal)
        said = refusal[each.end() : end].rstrip().rstrip(",")
        yield each.group(1), said.removesuffix("]") if "[" not in said else said


MEDIA_TYPE = "application/problem+json"
_AWAY = (UnavailableError, WorldUnavailableError, ProviderAwayError, GatewayAwayError)
_RETRY_AFTER = {"Retry-After": "5"}
_POLICY_VIOLATION = 1008
_LONGEST_REASON = 100


class Problem(View):
    """The body of every error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()


class ProblemError(Exception):
    """Ends a request with a problem. `detail` is for people, with the remedy."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: Text,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class NotFoundProblem(ProblemError):
    """There is no such thing, or it is somebody else's: the answer is the same."""

    def __init__(self, what: str) -> None:
        said = bilingual(
            en=f"There is no such {what}, or it is not yours.",
            ko="없거나 본인의 것이 아닙니다.",
        )
        super().__init__(HTTPStatus.NOT_FOUND, said)


Operation: TypeAlias = dict[str, dict[str, dict[str, dict[str, object]]]]


class DescribedApp(FastAPI):
    """An app whose OpenAPI document says that problems have a media type of their own."""

    def openapi(self) -> dict[str, object]:
        """The whole document."""
        document: dict[str, dict[str, dict[str, Operation]]] = super().openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    content = response.get("content", {})
                    if status[0] not in "123" and "application/json" in content:
                        content[MEDIA_TYPE] = content.pop("application/json")
        return dict(document)


def add_problems(app: FastAPI) -> None:
    """Every error leaves as a problem; none shows a traceback."""
    app.add_exception_handler(ProblemError, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(HTTPException, _answer)
    for kind in (*_STATUS, WorldError, *_AWAY):
        app.add_exception_handler(kind, _answer)


async def _answer(connection: HTTPConnection, error: Exception) -> Response:
    """The handshake of a WebSocket is answered as any request; one that is open can only close,
    one that is closed hears nothing."""
    problem = as_problem(error)
    if not isinstance(connection, WebSocket):
        return respond(problem)
    match connection.application_state:
        case WebSocketState.CONNECTING:
            return respond(problem)
        case WebSocketState.CONNECTED:
            return _Closing(str(problem))
        case _:
            return _Silence()


class _Silence(Response):
    """Says nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends nothing."""


class _Closing(Response):
    """Closes a WebSocket."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = bytes(self.body).decode()[:_LONGEST_REASON]
        await WebSocketClose(_POLICY_VIOLATION, reason)(scope, receive, send)


def problem_of(error: ProblemError) -> Problem:
    """What a client is shown."""
    return Problem(
        title=error.status.phrase,
        status=error.status,
        detail=str(error),
        errors=error.errors,
    )


def respond(error: ProblemError) -> JSONResponse:
    """The response of a problem."""
    return JSONResponse(
        problem_of(error).model_dump(mode="json", by_alias=True),
        error.status,
        error.headers,
        MEDIA_TYPE,
    )


def as_problem(error: Exception) -> ProblemError:
    """What a client is told of an error."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RequestValidationError):
        return malformed(error.errors())
    if isinstance(error, HTTPException):
        status, said = HTTPStatus(error.status_code), plain(error.detail)
        return ProblemError(status, said, headers=error.headers)
    if isinstance(error, _AWAY):
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, _RETRY_AFTER
        not_now = bilingual(en=f"Not now: {error}", ko=f"지금은 할 수 없습니다: {error}")
        return ProblemError(status, not_now, headers=headers)
    named = fields_of(str(error)) if isinstance(error, InvalidError) else ()
    errors = [FieldError(field=field, message=plain(message)) for field, message in named]
    return ProblemError(_status_of(error), plain(str(error)), errors)


_STATUS: Mapping[type[Exception], HTTPStatus] = {
    CursorError: HTTPStatus.BAD_REQUEST,
    PathError: HTTPStatus.NOT_FOUND,  # an id that nothing can have
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ConflictError: HTTPStatus.CONFLICT,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ForbiddenError: HTTPStatus.FORBIDDEN,
}


def _status_of(error: Exception) -> HTTPStatus:
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return status
    return HTTPStatus.CONFLICT


def malformed(errors: Iterable[ErrorDetails]) -> ProblemError:
    """What pydantic says of a request or a frame: each field by its place."""
    return refused(
        [
            FieldError(field=".".join(map(str, each["loc"])), message=words_of(each))
            for each in errors
        ]
    )


def refused(errors: Sequence[FieldError]) -> ProblemError:
    """A problem with status 422 that names every field."""
    named = "; ".join(f"{each.field}: {each.message}" for each in errors)
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, plain(named), errors)
