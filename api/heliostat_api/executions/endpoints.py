"""The endpoints of runs, a table of contents: each is one call."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from heliostat_api.base.views import ExecutionView, TranscriptView
from heliostat_api.documents.files import Files
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.executions import files
from heliostat_api.executions.bulk_cancel import BulkCancel, CancelRequest, CancelResult
from heliostat_api.executions.commands import Commands
from heliostat_api.executions.diffs import ExecutionDiffView, build_diff
from heliostat_api.executions.files import FileList
from heliostat_api.executions.logs import LOG_RESPONSES, RunLogs
from heliostat_api.executions.reading import (
    ExecutionCounts,
    ExecutionPage,
    Executions,
    latest_attempt,
    view_transcript,
)
from heliostat_api.executions.schemas import Accepted
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import Correlation, Cursor, IdempotencyKeyOf, Limit, PersonOf
from heliostat_api.web.provide import Provided

router = APIRouter(prefix="/api", route_class=CheckedRoute)


@router.get("/executions")
async def list_executions(
    executions: Provided[Executions],
    person: PersonOf,
    agent: Annotated[str | None, Query(max_length=253)] = None,
    agent_id: Annotated[str | None, Query(alias="agentId", max_length=128)] = None,
    phase: Annotated[str | None, Query(max_length=32)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ExecutionPage:
    """Your executions, newest first, and those without an owner where you operate.

    `agentId` is the id of an agent: its test runs are there, too, which have an Agent of their own.
    It goes with no other filter.
    """
    return await executions.page(
        person, agent=agent, agent_id=agent_id, phase=phase, cursor=cursor, limit=limit
    )


@router.get("/executions/counts")
async def count_executions(executions: Provided[Executions], person: PersonOf) -> ExecutionCounts:
    """How many of those that you see have not ended, and how many of them wait."""
    return await executions.counts(person)


@router.post("/executions/cancel", status_code=202)
async def cancel_executions(
    bulk_cancel: Provided[BulkCancel],
    person: PersonOf,
    request: CancelRequest,
    asked: IdempotencyKeyOf,
    correlation: Correlation,
) -> CancelResult:
    """Stop many of your runs for good: all in some phases, of one agent or of all."""
    return await bulk_cancel.cancel(person, request, asked, correlation)


@router.get("/executions/{uid}")
async def read_execution(
    executions: Provided[Executions], person: PersonOf, uid: str
) -> ExecutionView:
    """One of your executions."""
    return await executions.get(person, uid)


@router.get("/executions/{uid}/transcript")
async def read_transcript(
    executions: Provided[Executions],
    transcripts: Provided[Transcripts],
    person: PersonOf,
    uid: str,
    attempt: Annotated[int | None, Query(ge=1, le=9999)] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> TranscriptView:
    """What an attempt (the latest, when none is named) wrote so far, from its beginning."""
    execution = await executions.get(person, uid)
    chosen = attempt or latest_attempt(execution)
    page = await transcripts.read(uid, chosen, cursor, limit)
    return view_transcript(chosen, page)


@router.get("/executions/{uid}/files")
async def list_files(
    executions: Provided[Executions],
    stored: Provided[Files],
    transcripts: Provided[Transcripts],
    person: PersonOf,
    uid: str,
) -> FileList:
    """Files that the run made or changed."""
    execution = await executions.get(person, uid)
    return await files.list_files(stored, transcripts, execution)


@router.get(
    "/executions/{uid}/files/{file_id}",
    response_class=StreamingResponse,
    responses=dict(files.FILE_RESPONSES),
)
async def read_file(
    executions: Provided[Executions],
    stored: Provided[Files],
    person: PersonOf,
    uid: str,
    file_id: str,
) -> StreamingResponse:
    """One of them."""
    await executions.get(person, uid)
    return await files.download(stored, uid, file_id)


@router.get(
    "/executions/{uid}/logs",
    response_class=StreamingResponse,
    responses=dict(LOG_RESPONSES),
)
async def read_logs(
    logs: Provided[RunLogs],
    executions: Provided[Executions],
    person: PersonOf,
    uid: str,
    attempt: Annotated[int | None, Query(ge=1, le=9999)] = None,
) -> StreamingResponse:
    """What the programs of an attempt (the latest, when none is named) printed."""
    return await logs.respond(await executions.get(person, uid), attempt)


@router.get("/executions/{uid}/diff/{other}")
async def compare_executions(
    executions: Provided[Executions],
    stored: Provided[Files],
    person: PersonOf,
    uid: str,
    other: str,
) -> ExecutionDiffView:
    """What is different in another run, and in the files that it made."""
    left = await executions.document(person, uid)
    right = await executions.document(person, other)
    made_left, made_right = await stored.list(uid), await stored.list(other)
    return build_diff(left, right, made_left, made_right)


@router.post("/executions/{uid}/cancel", status_code=202)
async def cancel_execution(
    commands: Provided[Commands],
    executions: Provided[Executions],
    person: PersonOf,
    uid: str,
    correlation: Correlation,
) -> Accepted:
    """Stop it for good: its key dies first, then its processes."""
    return await commands.cancel(await executions.commanded(person, uid), correlation)


@router.post("/executions/{uid}/rerun", status_code=202)
async def rerun_execution(
    commands: Provided[Commands],
    executions: Provided[Executions],
    person: PersonOf,
    uid: str,
    asked: IdempotencyKeyOf,
    correlation: Correlation,
) -> Accepted:
    """The same input again, with the agent as it is now."""
    if before := await commands.before(person, asked):
        return before
    view = await executions.commanded(person, uid)
    spec = await executions.spec(person, uid)
    return await commands.rerun(person, view.namespace, spec, asked, correlation)
