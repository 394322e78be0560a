"""What an Agent's cleaning takes from the world."""

import logging

import pytest

from heliostat_core.conditions import FinishedReason
from heliostat_core.names import FINISHED_LABEL, RECORDED_ANNOTATION
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import EXECUTION, JsonObject
from heliostat_operator.agents.fleet import AgentReconciler
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from support.builders.resources import (
    NOW,
    make_agent,
    make_attempt,
    make_condition_status,
    make_execution,
    make_settings,
    seconds,
)
from support.fake_gateway import FakeGateway
from support.memory_world import MemoryWorld
from support.objects import with_metadata


def finished(name: str, *, recorded: bool) -> JsonObject:
    """A run that ended a minute ago and that its Agent does not keep."""
    attempt = make_attempt(start=NOW, end=NOW, reason="Verified", key_revoked=True)
    status = make_condition_status(
        attempt, succeeded="True", reason=FinishedReason.VERIFIED, settled="True"
    ).model_copy(update={"completion_time": NOW - seconds(60)})
    annotations = {RECORDED_ANNOTATION: "2026-11-21T12:00:00Z"} if recorded else {}
    return with_metadata(
        make_execution(name, status=status).to_json(),
        labels={FINISHED_LABEL: "true"},
        annotations=annotations,
    )


async def clean(*, api_url: str, recording_seconds: int) -> list[str]:
    """The names of what is left of a recorded and an unrecorded run."""
    world = MemoryWorld()
    world.put(make_agent(history={"successful": 0}).to_json())
    world.put(finished("recorded", recorded=True))
    world.put(finished("unrecorded", recorded=False))
    settings = make_settings(api_url=api_url, recording_seconds=recording_seconds)
    fleet = AgentReconciler(
        world, FakeGateway(), ConcurrencyLimiter(10, 300), lambda: NOW, settings
    )
    await fleet.reconcile(("default", "sales"))
    return [ObjectHead.model_validate(each).metadata.name async for each in world.list(EXECUTION)]


async def test_what_the_api_has_not_recorded_is_kept() -> None:
    assert await clean(api_url="http://api:8080", recording_seconds=61) == ["unrecorded"]


async def test_it_goes_with_a_warning_when_the_last_resort_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert await clean(api_url="http://api:8080", recording_seconds=60) == []
    assert "Execution default/unrecorded goes without a record" in caplog.text
    assert "default/recorded" not in caplog.text


async def test_where_nobody_records_nothing_is_held() -> None:
    assert await clean(api_url="", recording_seconds=61) == []
