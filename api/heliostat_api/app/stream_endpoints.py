"""The endpoint of the event stream, which every screen follows."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from heliostat_api.base.stream_views import StreamView
from heliostat_api.events.stream import Streams, read_cursor
from heliostat_api.web.dependencies import PersonOf
from heliostat_api.web.problems import Problem
from heliostat_api.web.provide import Provided
from heliostat_api.web.stream_leases import StreamLeases

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
    streams: Provided[Streams],
    leases: Provided[StreamLeases],
    person: PersonOf,
    request: Request,
    cursor: Annotated[str | None, Query(max_length=32)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Reports for one screen: a snapshot, then what happens; or only what was missed."""
    begin = read_cursor(last_event_id or cursor)
    following = streams.follow(person, begin, leases.begin(request, person))
    async with aclosing(following):
        async for event in following:
            yield event
