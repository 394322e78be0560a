"""The endpoints of runs, a table of contents: each is one call."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from heliostat_api.base.views import ExecutionView, TranscriptView
from heliostat_api.executions import files
from heliostat_api.executions.commands import Accepted
from heliostat_api.executions.diffs import ExecutionDiffView, build_diff
from heliostat_api.executions.files import FileList
from heliostat_api.executions.logs import LOG_RESPONSES
from heliostat_api.executions.reading import ExecutionPage, latest_attempt, view_transcript
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import AskedOf, Correlation, Cursor, Limit, PartsOf, PersonOf

executions = APIRouter(route_class=CheckedRoute)


@executions.get("/executions")
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


@executions.get("/executions/{uid}")
async def read_execution(parts: PartsOf, person: PersonOf, uid: str) -> ExecutionView:
    """One of your executions."""
    return await parts.executions.get(person, uid)


@executions.get("/executions/{uid}/transcript")
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


@executions.get("/executions/{uid}/files")
async def list_files(parts: PartsOf, person: PersonOf, uid: str) -> FileList:
    """Files that the run made or changed."""
    execution = await parts.executions.get(person, uid)
    return await files.list_files(parts.files, parts.transcripts, execution)


@executions.get(
    "/executions/{uid}/files/{file_id}",
    response_class=StreamingResponse,
    responses=dict(files.FILE_RESPONSES),
)
async def read_file(parts: PartsOf, person: PersonOf, uid: str, file_id: str) -> StreamingResponse:
    """One of them."""
    await parts.executions.get(person, uid)
    return await files.download(parts.files, uid, file_id)


@executions.get(
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


@executions.get("/executions/{uid}/diff/{other}")
async def compare_executions(
    parts: PartsOf, person: PersonOf, uid: str, other: str
) -> ExecutionDiffView:
    """What is different in another run, and in the files that it made."""
    left = await parts.executions.document(person, uid)
    right = await parts.executions.document(person, other)
    made_left, made_right = await parts.files.list(uid), await parts.files.list(other)
    return build_diff(left, right, made_left, made_right)


@executions.post("/executions/{uid}/cancel", status_code=202)
async def cancel_execution(
    parts: PartsOf, person: PersonOf, uid: str, correlation: Correlation
) -> Accepted:
    """Stop it for good: its key dies first, then its processes."""
    return await parts.commands.cancel(await parts.executions.commanded(person, uid), correlation)


@executions.post("/executions/{uid}/rerun", status_code=202)
async def rerun_execution(
    parts: PartsOf, person: PersonOf, uid: str, asked: AskedOf, correlation: Correlation
) -> Accepted:
    """The same input again, with the agent as it is now."""
    if before := await parts.commands.before(person, asked):
        return before
    view = await parts.executions.commanded(person, uid)
    spec = await parts.executions.spec(person, uid)
    return await parts.commands.rerun(person, view.namespace, spec, asked, correlation)
