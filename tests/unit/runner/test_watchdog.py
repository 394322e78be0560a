from __future__ import annotations

from dataclasses import replace

import pytest

from heliostat_runner.settings import read_settings
from heliostat_runner.supervision import Shutdown
from heliostat_runner.watchdog import Rules, Signs, Stop, decide_stop, next_look

RULES = Rules(deadline=1000, stall_seconds=60, tool_seconds=600, linger_seconds=30, max_tokens=5000)


def make_signs(
    moved: float = 100, finished: float | None = None, tool_open: bool = False, tokens: int = 0
) -> Signs:
    return Signs(moved, finished, tool_open, tokens)


@pytest.mark.parametrize(
    ("signs", "now", "stop"),
    [
        (make_signs(), 159, None),
        (make_signs(), 160, Stop.STALLED),
        (make_signs(tool_open=True), 759, None),
        (make_signs(tool_open=True), 760, Stop.STALLED),
        (make_signs(moved=999), 1000, Stop.TIMED_OUT),
        (make_signs(tokens=5000), 101, None),
        (make_signs(tokens=5001), 101, Stop.TOKENS),
        (make_signs(finished=110, tokens=5001), 139, None),
        (make_signs(finished=110), 140, Stop.LINGERED),
        (make_signs(finished=990), 1000, Stop.LINGERED),
        (make_signs(finished=1001), 1001, Stop.LINGERED),
        (replace(make_signs(), bypassed=True), 100, Stop.BYPASSED),
        (replace(make_signs(finished=110), bypassed=True), 111, Stop.BYPASSED),
    ],
)
def test_when_a_program_has_to_end(signs: Signs, now: float, stop: Stop | None) -> None:
    assert decide_stop(RULES, signs, now) is stop


def test_nothing_is_left_thirty_seconds_after_the_result() -> None:
    settings = read_settings({})
    rules = replace(RULES, linger_seconds=settings.linger_seconds)
    leaves = next_look(rules, make_signs(finished=110))

    assert leaves + Shutdown().polite_seconds(now=leaves) <= 140


@pytest.mark.parametrize(
    "signs",
    [make_signs(), make_signs(tool_open=True), make_signs(moved=990), make_signs(finished=5)],
)
def test_the_next_look_is_exactly_when_the_answer_changes(signs: Signs) -> None:
    time = next_look(RULES, signs)

    assert decide_stop(RULES, signs, time - 0.001) is None
    assert decide_stop(RULES, signs, time) is not None
