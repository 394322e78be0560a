"""What is said of a run that waits for a slot."""

import pytest

from heliostat_operator.runs.admission import slot_block, slot_patience
from heliostat_operator.runs.observations import LimitUse, SlotStatus
from support.builders.resources import make_slots


@pytest.mark.parametrize(
    ("slots", "reason", "words"),
    [
        (
            make_slots(granted=False, agent=LimitUse(2, 2, 1), ahead=1),
            "AgentConcurrency",
            "This Agent has 2 of its 2 Executions at once, 1 of them with a pod that can't start; "
            "1 of this namespace waits before this one.",
        ),
        (
            make_slots(granted=False, namespace=LimitUse(6, 6), ahead=700),
            "NamespaceConcurrency",
            "6 Executions of this namespace run or start, of 6 that a namespace may have at once; "
            "more than 500 of this namespace wait before this one.",
        ),
        (
            make_slots(granted=False, namespace=LimitUse(0, 6, 10)),
            "NamespaceConcurrency",
            "10 Executions of this namespace have pods that can't start; no more are tried",
        ),
        (
            make_slots(granted=False, total=LimitUse(8, 8)),
            "TotalConcurrency",
            "8 Executions run or start in all namespaces, of 8 that may at once; 0 of this",
        ),
    ],
)
def test_the_words_name_the_limit_and_count_what_runs(
    slots: SlotStatus, reason: str, words: str
) -> None:
    block = slot_block(slots)
    assert block is not None
    assert block.reason == reason
    assert words in block.message


def test_a_further_attempt_is_not_told_of_its_agents_limit() -> None:
    block = slot_block(make_slots(granted=False, agent=LimitUse(1, 1)), admitted=True)
    assert block is not None
    assert block.reason == "TotalConcurrency"


def test_who_has_a_slot_is_not_blocked() -> None:
    assert slot_block(make_slots(agent=LimitUse(10, 10))) is None


def test_the_longer_the_queue_the_less_often_its_end_is_looked_at() -> None:
    assert [slot_patience(ahead) for ahead in (0, 60, 100, 10_000)] == [30, 30, 50, 300]
