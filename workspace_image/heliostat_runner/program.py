"""The runner as a program: one attempt from the run document to the result document."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .api import Api, in_thread
from .attempt import Attempt, Lost, Work
from .claude_run import run_claude
from .command_run import run_command
from .delivery import Delivery
from .document import RunDocument, RuntimeType, parse_document
from .fields import DocumentError
from .files import Bounds, WorkFile, find_files
from .ingest import attempt_path
from .memo import Memo, drop_memo, write_memo
from .pieces import Pieces
from .processes import Processes
from .reasons import Reason, Verdict
from .result import Result, TranscriptRecord, encode_result, write_result
from .settings import SettingError, Settings, read_settings
from .spool import Spool
from .supervision import Shutdown
from .transcript import Transcript
from .verification import verify


async def run(environ: Mapping[str, str]) -> int:
    """Returns the exit code of the table in docs/runner.md."""
    start = datetime.now(UTC)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        settings = read_settings(environ)
    except SettingError as error:
        sys.stderr.write(f"heliostat-runner: {error}\n")
        return _refuse(read_settings({}), start, str(error))
    shutdown = Shutdown()
    try:
        order = _read_order(settings)
    except DocumentError as error:
        return _refuse(settings, start, str(error))
    grace = order.document.grace_seconds
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: shutdown.request(loop.time() + grace))
    attempt = Attempt(
        settings=settings,
        document=order.document,
        key=order.key,
        environ=environ,
        transcript=order.transcript,
        processes=Processes(),
        shutdown=shutdown,
        deadline=begun + order.document.limits.timeout_seconds,
    )
    try:
        return await _carry_out(attempt, _begin_delivery(attempt), start)
    finally:
        await attempt.processes.kill_all()


@dataclass(frozen=True)
class _Order:
    document: RunDocument
    key: str
    transcript: Transcript


def _read_order(settings: Settings) -> _Order:
    """Reads document and key, makes the folders. Raises DocumentError."""
    document = parse_document(_read(settings, "run.json"))
    key = _read(settings, "key").strip()
    if not key:
        raise DocumentError("key must not be empty: the operator puts the execution key there")
    path = settings.transcript(document.attempt)
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        shown = os.path.relpath(path, settings.workspace)
        transcript = Transcript(
            path,
            shown,
            sys.stdout.fileno(),
            key,
            lambda: datetime.now(UTC),
            settings.transcript_bytes,
        )
    except OSError as error:
        raise DocumentError(
            f"the workspace {str(settings.workspace)!r} must be writable: {error}. "
            "Check workspace.storage and the pod's fsGroup"
        ) from error
    return _Order(document, key, transcript)


def _read(settings: Settings, name: str) -> str:
    try:
        return (settings.run_dir / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{name} must be readable: {error}") from error


def _begin_delivery(attempt: Attempt) -> Delivery | None:
    """Before the first event and the first program: nothing is missed, nothing hidden."""
    document, settings, transcript = attempt.document, attempt.settings, attempt.transcript
    if document.api is None:
        return None
    delivery = Delivery(
        Api(document.api.url, attempt.key),
        Spool(settings.transcript(document.attempt), settings.spool_bytes),
        Pieces(attempt.key),
        attempt_path(document.uid, document.attempt),
        lambda why: transcript.note("delivery_ended", why=why),
    )
    transcript.tell(delivery.hear, delivery.hear_piece)
    return delivery


async def _carry_out(attempt: Attempt, delivery: Delivery | None, start: datetime) -> int:
    document = attempt.document
    attempt.transcript.note(
        "start",
        execution=f"{document.namespace}/{document.execution}",
        uid=document.uid,
        attempt=document.attempt,
        correlationId=document.correlation_id,
        model=document.model,
    )
    work = await _work(attempt)
    if isinstance(work, Lost):
        attempt.transcript.note("lost", why=work.name)
        await _deliver_rest(attempt, delivery, (), _delivered_by(attempt))
        return work.value
    verdict = work.verdict or await _judge(attempt, work)
    verdict = _remark(verdict, attempt, work)
    until = _delivered_by(attempt)
    files = await _list_files(attempt, delivery, until)
    attempt.transcript.note("end", reason=verdict.reason.value, message=verdict.message)
    attempt.transcript.close()
    result = _build_result(attempt, work, verdict, start)
    _leave(attempt.settings, result)  # now, for nobody may wait until the api has it all
    _deliver_action(delivery, work)
    remarks = await _deliver_rest(attempt, delivery, files, until)
    taken = _with_taken_action(result, delivery)
    if remarks or taken is not result:
        _leave(attempt.settings, _with_remarks(taken, remarks))
    return result.exit_code


def _deliver_action(delivery: Delivery | None, work: Work) -> None:
    if delivery is not None and work.guard is not None and work.guard.ask is not None:
        delivery.deliver_action(work.guard.ask.digest, work.guard.ask.canonical)


def _with_taken_action(result: Result, delivery: Delivery | None) -> Result:
    """Says that the whole action can be had from the api."""
    guard = result.guard
    if delivery is None or not delivery.has_taken_action or guard is None or guard.ask is None:
        return result
    return replace(result, guard=replace(guard, ask=replace(guard.ask, is_taken=True)))


def _delivered_by(attempt: Attempt) -> float:
    """When the end waits no longer for the api, on the event loop's clock."""
    api = attempt.document.api
    return attempt.now() + (api.delivery_seconds if api else 0)


async def _list_files(
    attempt: Attempt, delivery: Delivery | None, until: float
) -> tuple[WorkFile, ...]:
    """What will be delivered; an event tells it, with what is left out and why."""
    if delivery is None:
        return ()
    settings, since = attempt.settings, attempt.transcript.born_ns
    bounds = _bounds(attempt)
    search = asyncio.create_task(
        in_thread(lambda: find_files(settings.workspace, settings.state_dir, since, bounds))
    )
    if not await attempt.shutdown.wait_for(search, until):
        search.cancel()
        attempt.transcript.note("files", why="There was no time to look for them.")
        return ()
    if (error := search.exception()) is not None:
        attempt.transcript.note("files", why=f"Looking for them failed: {error!r}")
        return ()
    found = search.result()
    if found.files or found.left_out:
        attempt.transcript.note("files", **found.to_json())
    return found.files


def _bounds(attempt: Attempt) -> Bounds:
    """Of the files that the api takes, as far as the run document says so."""
    own, api = attempt.settings.bounds, attempt.document.api
    if api is None:
        return own
    return Bounds(api.file_bytes or own.file_bytes, api.files_bytes or own.run_bytes)


async def _deliver_rest(
    attempt: Attempt, delivery: Delivery | None, files: tuple[WorkFile, ...], until: float
) -> tuple[str, ...]:
    if delivery is None:
        return ()
    return await delivery.finish(files, until, attempt.shutdown)


def _with_remarks(result: Result, remarks: tuple[str, ...]) -> Result:
    message = " ".join([result.verdict.message, *remarks])
    return replace(result, verdict=replace(result.verdict, message=message))


async def _work(attempt: Attempt) -> Work | Lost:
    if attempt.document.runtime.type is RuntimeType.COMMAND:
        return await run_command(attempt)
    return await run_claude(attempt)


async def _judge(attempt: Attempt, work: Work) -> Verdict:
    """verify, with a memo for the next attempt while it runs and when it says no."""
    session = work.session_id
    if attempt.document.verify is None or session is None:
        return await verify(attempt)
    write_memo(attempt.settings, Memo(session, done=work.text))
    verdict = await verify(attempt)
    if verdict.reason is Reason.VERIFICATION_FAILED:
        write_memo(attempt.settings, Memo(session, failed=verdict.message))
    elif verdict.reason is not Reason.TERMINATED:
        drop_memo(attempt.settings)
    return verdict


def _remark(verdict: Verdict, attempt: Attempt, work: Work) -> Verdict:
    remarks = list(work.remarks)
    if attempt.transcript.problem:
        remarks.append(f"Not all is recorded: {attempt.transcript.problem}.")
    message = attempt.transcript.mask(" ".join([verdict.message, *remarks]))
    return replace(verdict, message=message)


def _build_result(attempt: Attempt, work: Work, verdict: Verdict, start: datetime) -> Result:
    return Result(
        verdict=verdict,
        start=start,
        end=datetime.now(UTC),
        text=attempt.transcript.mask(work.text),
        session_id=work.session_id,
        resumed=work.resumed,
        turns=work.turns,
        second_attempts=work.second_attempts,
        usage=work.usage,
        transcript=attempt.transcript.record(),
        guard=work.guard,
    )


def _refuse(settings: Settings, start: datetime, why: str) -> int:
    verdict = Verdict(Reason.RUN_DOCUMENT_INVALID, f"{why}.")
    return _leave(settings, Result(verdict, start, datetime.now(UTC), transcript=_NO_TRANSCRIPT))


_NO_TRANSCRIPT = TranscriptRecord(path="")


def _leave(settings: Settings, result: Result) -> int:
    """The exit code says the reason's kind even where the document cannot be written."""
    try:
        write_result(settings.termination_log, encode_result(result))
    except OSError as error:
        sys.stderr.write(f"heliostat-runner: no result document: {error}\n")
    sys.stderr.write(f"heliostat-runner: {result.verdict.reason}: {result.verdict.message}\n")
    return result.exit_code
