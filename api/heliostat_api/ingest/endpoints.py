"""The ingest endpoints (docs/events.md): a table of contents, each one call."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, JsonValue
from starlette.requests import HTTPConnection

from heliostat_api.base.texts import plain
from heliostat_api.base.views import View
from heliostat_api.documents.actions import ACTION_BYTES, ActionRefusedError
from heliostat_api.documents.files import FileRefusedError, OffsetError, WorkFile
from heliostat_api.documents.transcripts import SequenceGapError
from heliostat_api.ingest.keyring import Keyring, refuse_foreign, token_of
from heliostat_api.ingest.pod_tokens import PodTokens
from heliostat_api.ingest.service import Ingest
from heliostat_api.web.auth_dependency import CheckedRoute, auth_dependency
from heliostat_api.web.bodies import read_body
from heliostat_api.web.problems import Problem, ProblemError, respond
from heliostat_core.keys import ExecutionClaims

REQUEST_BYTES = 1 << 20
REQUEST_LINES = 20_000
"""Each costs its reading, however short it is, and nothing else is answered meanwhile."""
_MOST = 10**12 - 1

Uid = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
Number = Annotated[int, Path(ge=1, le=9999)]
Count = Annotated[int, Field(ge=0, le=_MOST)]


class PositionView(View):
    """How much is stored: `next` is the first that is missing."""

    next: int


class EndOrder(View):
    """A transcript is complete: `next` events, `lost` of them."""

    next: Count
    lost: Count


class PiecesOrder(View):
    """Pieces of an answer: Claude Code's `stream_event`s, in order."""

    events: Annotated[tuple[Mapping[str, JsonValue], ...], Field(max_length=1000)]


def add_ingest(
    app: FastAPI, service: Ingest, keyring: Keyring, pod_tokens: PodTokens | None = None
) -> None:
    """Runs may deliver to this app; with their pods' tokens, too, where there are pods."""
    app.state.ingest, app.state.ingest_keyring = service, keyring
    app.state.ingest_pod_tokens = pod_tokens
    app.add_exception_handler(SequenceGapError, _answer_gap)
    app.add_exception_handler(OffsetError, _answer_gap)
    app.add_exception_handler(FileRefusedError, _answer_refusal)
    app.add_exception_handler(ActionRefusedError, _answer_unfit)
    app.include_router(ingest)


async def ingest_of(request: Request) -> Ingest:
    """The service of the app that serves this request."""
    ingest: Ingest = request.app.state.ingest
    return ingest


@auth_dependency()
async def presented(connection: HTTPConnection) -> ExecutionClaims:
    """Of whichever attempt. Raises a problem with status 401, 403 or 503."""
    keyring: Keyring = connection.app.state.ingest_keyring
    pod_tokens: PodTokens | None = connection.app.state.ingest_pod_tokens
    token = token_of(connection.headers.get("authorization"))
    if pod_tokens is not None and pod_tokens.may_be(token):
        return await pod_tokens.claims(token)
    return keyring.verified(token)


async def claims_of(
    claims: Annotated[ExecutionClaims, Depends(presented)],
    uid: Uid,
    attempt: Number,
    authorization: Annotated[str | None, Header()] = None,  # noqa: ARG001 - for the document
) -> ExecutionClaims:
    """Of this very attempt. Raises a problem with status 401, 403 or 503."""
    refuse_foreign(claims, uid, attempt)
    return claims


async def body_of(request: Request) -> bytes:
    """Raises a problem with status 413."""
    words = plain(f"A request may have {REQUEST_BYTES} bytes: send fewer at once.")
    return await read_body(request, REQUEST_BYTES, words)


async def action_of(request: Request) -> bytes:
    """Raises a problem with status 413."""
    words = plain(f"An action may have {ACTION_BYTES} bytes: what is longer can only be denied.")
    return await read_body(request, ACTION_BYTES, words)


async def lines_of(body: Annotated[bytes, Depends(body_of)]) -> bytes:
    """Raises a problem with status 413."""
    if body.count(b"\n") > REQUEST_LINES:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            plain(f"A request may have {REQUEST_LINES} lines: send fewer at once."),
        )
    return body


async def file_of(
    attempt: Number,
    path: Annotated[str, Path(max_length=1024)],
    size: Annotated[int, Query(ge=0, le=_MOST)],
    sha256: Annotated[str, Query(pattern=r"^[0-9a-f]{64}$")],
) -> WorkFile:
    """Raises a problem with status 400 for a path that leads out of the workspace."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or not path.isprintable():
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            plain("path must be relative to the workspace and stay inside it."),
        )
    return WorkFile(attempt, path, size, sha256)


IngestOf = Annotated[Ingest, Depends(ingest_of)]
ClaimsOf = Annotated[ExecutionClaims, Depends(claims_of)]
BodyOf = Annotated[bytes, Depends(body_of)]
LinesOf = Annotated[bytes, Depends(lines_of)]
FileOf = Annotated[WorkFile, Depends(file_of)]
ActionOf = Annotated[bytes, Depends(action_of)]
Digest = Annotated[str, Path(pattern=r"^sha256:[0-9a-f]{64}$")]

ingest = APIRouter(
    route_class=CheckedRoute,
    prefix="/ingest/v1/executions/{uid}/attempts/{attempt}",
    tags=["ingest"],
    responses={
        409: {"model": PositionView, "description": "What comes before is missing."},
        "default": {"model": Problem, "description": "A problem (RFC 9457)."},
    },
)


async def _answer_gap(_: Request, error: Exception) -> JSONResponse:
    """409 with the place to go on from."""
    assert isinstance(error, SequenceGapError | OffsetError)
    return JSONResponse({"next": error.next}, HTTPStatus.CONFLICT)


async def _answer_refusal(_: Request, error: Exception) -> JSONResponse:
    return respond(ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, plain(f"{error}.")))


async def _answer_unfit(_: Request, error: Exception) -> JSONResponse:
    return respond(ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, plain(f"{error}.")))


@ingest.get("")
async def read_position(service: IngestOf, claims: ClaimsOf) -> PositionView:
    """The first event of this attempt that is not stored yet."""
    return PositionView(next=await service.position(claims))


@ingest.post("/events")
async def append_events(
    service: IngestOf,
    claims: ClaimsOf,
    body: LinesOf,
    first: Annotated[int, Query(ge=0, le=_MOST)],
    lost: Annotated[int | None, Query(ge=1, le=_MOST)] = None,
) -> PositionView:
    """Events from number `first` on, as JSON lines; or that `lost` of them are gone."""
    if lost is None:
        return PositionView(next=await service.append(claims, first, body))
    if body:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, plain("A gap has no lines: leave the body empty.")
        )
    return PositionView(next=await service.lose(claims, first, lost))


@ingest.post("/pieces", status_code=204)
async def tell_pieces(service: IngestOf, claims: ClaimsOf, order: PiecesOrder) -> None:
    """An answer while it comes, at most 64 KiB; for screens only, the transcript has it whole."""
    await service.tell_pieces(claims, [dict(each) for each in order.events])


@ingest.post("/end")
async def end_attempt(service: IngestOf, claims: ClaimsOf, order: EndOrder) -> PositionView:
    """These were all events of this attempt."""
    return PositionView(next=await service.end(claims, order.next, order.lost))


@ingest.get("/files/{path:path}")
async def read_file_position(service: IngestOf, claims: ClaimsOf, file: FileOf) -> PositionView:
    """The first byte of a file that is not stored yet."""
    return PositionView(next=await service.file_position(claims, file))


@ingest.put("/files/{path:path}")
async def write_file(
    service: IngestOf,
    claims: ClaimsOf,
    file: FileOf,
    body: BodyOf,
    offset: Annotated[int, Query(ge=0, le=_MOST)],
) -> PositionView:
    """A piece of a file that the attempt made or changed, from byte `offset` on."""
    return PositionView(next=await service.write_file(claims, file, offset, body))


@ingest.put("/actions/{digest}", status_code=204)
async def write_action(
    service: IngestOf, claims: ClaimsOf, digest: Digest, content: ActionOf
) -> None:
    """The canonical form of an action that the attempt asks for, at most 64 KiB."""
    await service.write_action(claims, digest, content)


@ingest.get("/actions/{digest}", response_class=Response)
async def read_action(service: IngestOf, claims: ClaimsOf, digest: Digest) -> Response:
    """What was delivered. The operator, who signs the keys of attempts, reads it with one of its
    own."""
    content = await service.read_action(claims, digest)
    return Response(content, media_type="application/json")
