"""Pauses: answered from memory, kept over a restart, ended by people only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from heliostat_gateway.errors import RefusalError
from heliostat_gateway.limits.restrictions import (
    Allowed,
    Kind,
    Paused,
    SlowDown,
    StoredRestrictions,
    enforce_restriction,
    refuse_paused,
)
from heliostat_gateway.storage import Storage

SINCE = 1_795_000_000.5
AGENT = "default/sales"


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path)
    yield storage
    storage.close()


def gate_of(storage: Storage) -> StoredRestrictions:
    return StoredRestrictions(storage, 0.001, clock=lambda: SINCE)


async def test_everybody_may_call_until_restricted(storage: Storage) -> None:
    agent_restrictions = gate_of(storage)
    assert agent_restrictions.check(AGENT) == Allowed()
    await enforce_restriction(agent_restrictions, AGENT)
    assert await agent_restrictions.release(AGENT) is False


async def test_a_paused_agent_is_refused_with_reason_and_remedy(storage: Storage) -> None:
    agent_restrictions = gate_of(storage)
    await agent_restrictions.restrict(AGENT, Kind.PAUSE, "execution e cost $9.", "e")
    verdict = agent_restrictions.check(AGENT)
    assert isinstance(verdict, Paused)
    assert (verdict.reason, verdict.since_ms) == ("execution e cost $9.", 1_795_000_000_500)
    assert verdict.message == (
        "Agent default/sales is paused since 2026-11-18T11:06:40+00:00: execution e cost $9. Look "
        "at that run; an admin lets the agent go on with POST /admin/agents/default/sales/resume."
    )
    with pytest.raises(RefusalError) as caught:
        await enforce_restriction(agent_restrictions, AGENT)
    assert (caught.value.status, caught.value.headers) == (403, {"x-should-retry": "false"})
    assert agent_restrictions.check("default/other") == Allowed()


async def test_a_kept_answer_is_no_way_around_a_pause_but_waits_for_nothing(
    storage: Storage,
) -> None:
    agent_restrictions = StoredRestrictions(storage, 3600)
    await agent_restrictions.restrict(AGENT, Kind.SLOW_DOWN, "dear", "e")
    assert refuse_paused(agent_restrictions, AGENT) == SlowDown(3600, "dear")
    await agent_restrictions.restrict(AGENT, Kind.PAUSE, "dearer", "e")
    with pytest.raises(RefusalError):
        refuse_paused(agent_restrictions, AGENT)


async def test_a_slowed_agent_waits(storage: Storage) -> None:
    agent_restrictions = gate_of(storage)
    await agent_restrictions.restrict(AGENT, Kind.SLOW_DOWN, "why.", "e")
    assert agent_restrictions.check(AGENT) == SlowDown(0.001, "why.")
    await enforce_restriction(agent_restrictions, AGENT)


async def test_a_pause_is_not_weakened_and_ends_with_a_release(storage: Storage) -> None:
    agent_restrictions = gate_of(storage)
    await agent_restrictions.restrict(AGENT, Kind.SLOW_DOWN, "first.", "e1")
    await agent_restrictions.restrict(AGENT, Kind.PAUSE, "second.", "e2")
    await agent_restrictions.restrict(AGENT, Kind.SLOW_DOWN, "third.", "e3")
    assert [(each.kind, each.reason) for each in agent_restrictions.all()] == [
        (Kind.PAUSE, "second.")
    ]
    assert await agent_restrictions.release(AGENT) is True
    assert agent_restrictions.check(AGENT) == Allowed()


async def test_a_restart_keeps_what_is_held(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    agent_restrictions = gate_of(storage)
    await agent_restrictions.restrict(AGENT, Kind.PAUSE, "why.", "e")
    await agent_restrictions.restrict("default/other", Kind.PAUSE, "why.", "e")
    await agent_restrictions.release("default/other")
    storage.close()
    storage = Storage(tmp_path)
    again = gate_of(storage)
    assert isinstance(again.check(AGENT), Paused)
    assert again.restriction(AGENT) == agent_restrictions.restriction(AGENT)
    assert again.check("default/other") == Allowed()
    storage.close()
