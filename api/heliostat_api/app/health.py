"""Probes: alive at all, and ready to be asked."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter

from heliostat_api.agents.reading import Agents
from heliostat_api.app.assembly.money import Money
from heliostat_api.base.texts import plain
from heliostat_api.documents.port import Documents, StoreError
from heliostat_api.events.log import EventLog
from heliostat_api.events.stream import Streams
from heliostat_api.recording.recorder import Recorder
from heliostat_api.web.background import Background
from heliostat_api.web.problems import ProblemError
from heliostat_api.web.provide import Provided

_PATIENCE_SECONDS = 3.0

health = APIRouter(include_in_schema=False)


@health.get("/healthz")
async def live(background: Provided[Background]) -> Mapping[str, str]:
    """The process serves, and all that goes on beside its requests goes on."""
    if failed := background.failed:
        detail = f"{', '.join(failed)} ended with an error, see the log; to be started again"
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, plain(detail))
    return {"status": "ok"}


@health.get("/readyz")
async def ready(
    recorder: Provided[Recorder],
    agents: Provided[Agents],
    streams: Provided[Streams],
    money: Provided[Money],
) -> Mapping[str, str]:
    """Store and log answer, what happened unwatched is recorded, and the gateway knows the api."""
    problems = await find_problems(recorder, agents.documents, streams.log)
    if await money.gateway.refuses_us():
        problems.append("the gateway does not know this api's public key yet")
    if problems:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, plain("; ".join(problems)))
    return {"status": "ok"}


async def find_problems(recorder: Recorder, documents: Documents, log: EventLog) -> list[str]:
    """Why it should not be asked now; nothing when it may."""
    found = [] if recorder.is_caught_up else ["the world is not read yet"]
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await documents.get("agents/none")
            await log.end()
    except (StoreError, TimeoutError) as error:
        found.append(f"the store does not answer: {error or 'too slow'}")
    return found
