"""Pieces of text that come fast are put together, in order, and none is lost."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from heliostat_api.chat.model_connection import coalesce
from heliostat_api.chat.models import (
    Called,
    Ended,
    Event,
    ModelError,
    TextBegins,
    TextMore,
    ToolUse,
)
from heliostat_api.chat.schemas import StatusCode

CALL = Called(ToolUse("1", "save_agent", {}))


async def coming(
    events: Sequence[Event], error: Exception | None = None
) -> AsyncGenerator[Event, None]:
    for each in events:
        yield each
    if error:
        raise error


async def coalesced(events: AsyncGenerator[Event, None], seconds: float = 60.0) -> list[Event]:
    return [each async for each in coalesce(events, seconds)]


async def test_text_waits_for_more_but_never_behind_something_else() -> None:
    events: list[Event] = [
        TextBegins(),
        TextMore("a"),
        TextMore("b"),
        CALL,
        TextMore("c"),
        Ended("end_turn"),
    ]
    assert await coalesced(coming(events)) == [
        TextBegins(),
        TextMore("ab"),
        CALL,
        TextMore("c"),
        Ended("end_turn"),
    ]


async def test_what_was_said_before_a_failure_is_heard_before_it() -> None:
    error = ModelError(StatusCode.UNAVAILABLE, "cut")
    events = coalesce(coming([TextMore("a"), TextMore("b")], error), 60.0)
    found = [await anext(events)]
    with pytest.raises(ModelError):
        await anext(events)
    assert found == [TextMore("ab")]


async def test_text_is_told_in_time_though_nothing_follows() -> None:
    async def stalls() -> AsyncGenerator[Event, None]:
        yield TextMore("a")
        await asyncio.Event().wait()

    events = coalesce(stalls(), 0.001)
    async with asyncio.timeout(5):
        assert await anext(events) == TextMore("a")
    await events.aclose()


async def test_leaving_ends_the_call() -> None:
    ended = asyncio.Event()

    async def call() -> AsyncGenerator[Event, None]:
        try:
            yield TextBegins()
            await asyncio.Event().wait()
        finally:
            ended.set()

    events = coalesce(call())
    await anext(events)
    await events.aclose()
    assert ended.is_set()
