"""The endpoints but those of agents: a table of contents, each one call."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from heliostat_api.account.endpoints import mine
from heliostat_api.agents.endpoints import agents
from heliostat_api.base.person import view_person
from heliostat_api.base.views import ExecutionView, PersonView, StreamView, TranscriptView
from heliostat_api.chat.endpoints import conversations
from heliostat_api.events.stream import read_cursor
from heliostat_api.executions import files
from heliostat_api.executions.commands import Accepted
from heliostat_api.executions.diffs import ExecutionDiffView, build_diff
from heliostat_api.executions.files import FileList
from heliostat_api.executions.logs import LOG_RESPONSES
from heliostat_api.executions.reading import ExecutionPage, latest_attempt, view_transcript
from heliostat_api.gateway.models import ModelList
from heliostat_api.samples import read_sample
from heliostat_api.schedules.endpoints import schedules
from heliostat_api.secrets.endpoints import secrets
from heliostat_api.usage.endpoints import money
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import AskedOf, Correlation, Cursor, Limit, PartsOf, PersonOf
from heliostat_api.web.problems import NotFoundProblem, Problem
from heliostat_api.web.stream_leases import tenure_of
from heliostat_api.webhooks.endpoints import webhooks

api = APIRouter(
    prefix="/api",
    route_class=CheckedRoute,
    responses={
        422: {"model": Problem, "description": "A field is not what it must be."},
        "default": {"model": Problem, "description": "A problem (RFC 9457)."},
    },
)
api.include_router(agents)
api.include_router(money)
api.include_router(schedules)
api.include_router(secrets)
api.include_router(mine)
api.include_router(conversations)
api.include_router(webhooks)
stream = APIRouter(responses={422: {"model": Problem}})


@stream.get(
    "/agent/reports/stream",
    response_class=EventSourceResponse,
    responses={
        200: {
            "model": StreamView,
            "description": "Data of `snapshot`, `report` events; `heartbeat`, `ended` have none.",
        }
    },
)
async def follow_reports(
    parts: PartsOf,
    person: PersonOf,
    request: Request,
    cursor: Annotated[str | None, Query(max_length=32)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Reports for one screen: a snapshot, then what happens; or only what was missed."""
    begin = read_cursor(last_event_id or cursor)
    following = parts.streams.follow(person, begin, tenure_of(request, person))
    async with aclosing(following):
        async for event in following:
            yield event


@api.get("/me")
async def read_me(parts: PartsOf, person: PersonOf) -> PersonView:
    """Who you are, and what you may spend."""
    spending = await parts.money.spending.of(person)
    return view_person(person, parts.clock(), spending, can_sign_in=parts.sign_in is not None)


@api.get("/models")
async def list_models(parts: PartsOf, _: PersonOf) -> ModelList:
    """What an agent may name as its model; 503 while the gateway can't be asked."""
    return await parts.routes.list()


@api.post("/samples/{name}", status_code=202)
async def try_sample(
    parts: PartsOf, person: PersonOf, name: str, asked: AskedOf, correlation: Correlation
) -> Accepted:
    """Make one of the sample agents yours and run it: hello, sales, hurried."""
    sample = read_sample(name)
    if sample is None:
        raise NotFoundProblem("sample")
    return await parts.samples.run(person, sample, asked, correlation)


@api.get("/executions")
async def list_executions(
    parts: PartsOf,
    person: PersonOf,
    agent: Annotated[str | None, Query(max_length=253)] = None,
    phase: Annotated[str | None, Query(max_length=32)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ExecutionPage:
    """Your executions, newest first, and those without an owner where you operate."""
    return await parts.executions.page(person, agent=agent, phase=phase, cursor=cursor, limit=limit)


@api.get("/executions/{uid}")
async def read_execution(parts: PartsOf, person: PersonOf, uid: str) -> ExecutionView:
    """One of your executions."""
    return await parts.executions.get(person, uid)


@api.get("/executions/{uid}/transcript")
async def read_transcript(
    parts: PartsOf,
    person: PersonOf,
    uid: str,
    attempt: Annotated[int | None, Query(ge=1, le=9999)] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> TranscriptView:
    """What an attempt (the latest, when none is named) wrote so far, from its beginning."""
    execution = await parts.executions.get(person, uid)
    chosen = attempt or latest_attempt(execution)
    page = await parts.transcripts.read(uid, chosen, cursor, limit)
    return view_transcript(chosen, page)


@api.get("/executions/{uid}/files")
async def list_files(parts: PartsOf, person: PersonOf, uid: str) -> FileList:
    """Files that the run made or changed."""
    execution = await parts.executions.get(person, uid)
    return await files.list_files(parts.files, parts.transcripts, execution)


@api.get(
    "/executions/{uid}/files/{file_id}",
    response_class=StreamingResponse,
    responses=dict(files.FILE_RESPONSES),
)
async def read_file(parts: PartsOf, person: PersonOf, uid: str, file_id: str) -> StreamingResponse:
    """One of them."""
    await parts.executions.get(person, uid)
    return await files.download(parts.files, uid, file_id)


@api.get(
    "/executions/{uid}/logs",
    response_class=StreamingResponse,
    responses=dict(LOG_RESPONSES),
)
async def read_logs(
    parts: PartsOf,
    person: PersonOf,
    uid: str,
    attempt: Annotated[int | None, Query(ge=1, le=9999)] = None,
) -> StreamingResponse:
    """What the programs of an attempt (the latest, when none is named) printed."""
    return await parts.logs.respond(await parts.executions.get(person, uid), attempt)


@api.get("/executions/{uid}/diff/{other}")
async def compare_executions(
    parts: PartsOf, person: PersonOf, uid: str, other: str
) -> ExecutionDiffView:
    """What is different in another run, and in the files that it made."""
    left = await parts.executions.document(person, uid)
    right = await parts.executions.document(person, other)
    made_left, made_right = await parts.files.list(uid), await parts.files.list(other)
    return build_diff(left, right, made_left, made_right)


@api.post("/executions/{uid}/cancel", status_code=202)
async def cancel_execution(
    parts: PartsOf, person: PersonOf, uid: str, correlation: Correlation
) -> Accepted:
    """Stop it for good: its key dies first, then its processes."""
    return await parts.commands.cancel(await parts.executions.commanded(person, uid), correlation)


@api.post("/executions/{uid}/rerun", status_code=202)
async def rerun_execution(
    parts: PartsOf, person: PersonOf, uid: str, asked: AskedOf, correlation: Correlation
) -> Accepted:
    """The same input again, with the agent as it is now."""
    if before := await parts.commands.before(person, asked):
        return before
    view = await parts.executions.commanded(person, uid)
    spec = await parts.executions.spec(person, uid)
    return await parts.commands.rerun(person, view.namespace, spec, asked, correlation)
