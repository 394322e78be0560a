"""What follows the end of an attempt."""

import pytest

from heliostat_core.agents import Retry
from heliostat_core.executions import Attempt
from heliostat_operator.runs.retries import Finish, Park, TryAgain, next_step
from support.builders.resources import NOW, make_attempt, make_settings


def ended(*ends: tuple[str, str | None]) -> tuple[Attempt, ...]:
    return tuple(
        make_attempt(number, start=NOW, end=NOW, reason=reason, cause=cause, message="Words.")
        for number, (reason, cause) in enumerate(ends, 1)
    )


AGENT = ("AgentError", "agent")
LOST = ("Evicted", "infrastructure")
HELD = ("KeyRefused", "configuration")
MEMORY = ("OutOfMemory", "agent")
RETRY = Retry(limit=2, backoff_seconds=(5, 30))


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([("Verified", None)], "Verified"),
        ([("CostLimitReached", "limit")], "CostLimitReached"),
        ([AGENT], 5),
        ([AGENT, AGENT], 30),
        ([AGENT, AGENT, AGENT], "AgentError"),
        ([AGENT, LOST, LOST, AGENT], 30),
        ([LOST], 1),
        ([LOST] * 4, 8),
        ([LOST] * 10, 60),
        ([LOST] * 11, "InfrastructureRetriesExhausted"),
        ([HELD], 30),
        ([HELD] * 3, 120),
        ([HELD] * 100, 600),
        ([HELD] * 101, "KeyRefused"),
        ([MEMORY], 5),
        ([MEMORY, LOST, MEMORY], 30),
        ([MEMORY, AGENT, MEMORY], "OutOfMemory"),
        ([AGENT, MEMORY, AGENT], "AgentError"),
    ],
)
def test_the_step_after(ends: list[tuple[str, str | None]], expected: str | int) -> None:
    step = next_step(ended(*ends), RETRY, make_settings())
    assert not isinstance(step, Park)
    got = step.reason if isinstance(step, Finish) else step.after_seconds
    assert isinstance(step, TryAgain) == isinstance(expected, int)
    assert got == expected


@pytest.mark.parametrize("reason", ["OutOfMemory", "OutOfStorage"])
def test_without_retries_a_run_that_needs_too_much_has_one_attempt(reason: str) -> None:
    step = next_step(ended((reason, "agent")), Retry(limit=0), make_settings())
    assert step == Finish(reason, "Words.")
