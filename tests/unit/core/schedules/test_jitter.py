"""Jitter: stable, spread, and never past the next time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.schedules.jitter import jittered

TIME = datetime(2026, 1, 1, 8, tzinfo=UTC)


@given(st.text(min_size=1), st.integers(0, 3600), st.integers(1, 7200))
def test_jitter_is_stable_bounded_and_before_the_next_time(agent: str, most: int, gap: int) -> None:
    following = TIME + timedelta(seconds=gap)
    found = jittered(TIME, following, agent, most)
    assert found == jittered(TIME, following, agent, most)
    assert TIME <= found < following
    assert found <= TIME + timedelta(seconds=most)


def test_agents_are_spread_over_all_of_it() -> None:
    offsets = {jittered(TIME, None, f"agent-{each}", 59) - TIME for each in range(1000)}
    assert len(offsets) == 60
