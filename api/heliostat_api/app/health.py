"""Probes: alive at all, and ready to be asked."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request

from heliostat_api.app.parts import Parts, parts_of
from heliostat_api.base.texts import plain
from heliostat_api.documents.port import StoreError
from heliostat_api.web.problems import ProblemError

_PATIENCE_SECONDS = 3.0

health = APIRouter(include_in_schema=False)


@health.get("/healthz")
async def live(request: Request) -> Mapping[str, str]:
    """The process serves, and all that goes on beside its requests goes on."""
    if failed := parts_of(request).background.failed:
        detail = f"{', '.join(failed)} ended with an error, see the log; to be started again"
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, plain(detail))
    return {"status": "ok"}


@health.get("/readyz")
async def ready(request: Request) -> Mapping[str, str]:
    """Store and log answer, and what happened while nobody watched is recorded."""
    if problems := await find_problems(parts_of(request)):
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, plain("; ".join(problems)))
    return {"status": "ok"}


async def find_problems(parts: Parts) -> list[str]:
    """Why it should not be asked now; nothing when it may."""
    found = [] if parts.commands.recorder.is_caught_up else ["the world is not read yet"]
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await parts.agents.documents.get("agents/none")
            await parts.streams.log.end()
    except (StoreError, TimeoutError) as error:
        found.append(f"the store does not answer: {error or 'too slow'}")
    return found
