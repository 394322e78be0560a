"""Which finished Executions may go, and when a condition's time moves."""

from dataclasses import replace

from heliostat_core.agents import History
from heliostat_core.conditions import set_condition
from heliostat_operator.agents.history import Keeping, Past, expired, next_expiry
from support.builders.resources import NOW, seconds


def past(name: str, ago: float, *, succeeded: bool = True) -> Past:
    return Past(name, f"uid-{name}", succeeded, NOW - seconds(ago))


def gone(history: History, *runs: Past) -> list[str]:
    return [each.name for each in expired(runs, Keeping(history), NOW)]


def test_the_oldest_go_first_successes_and_failures_by_their_own_numbers() -> None:
    runs = [past("a", 30), past("b", 20), past("c", 10), past("f", 40, succeeded=False)]
    assert gone(History(successful=1, failed=1), *runs) == ["a", "b"]
    assert gone(History(successful=0, failed=0), *runs) == ["f", "a", "b", "c"]


def test_a_ttl_takes_what_the_numbers_would_keep() -> None:
    history = History(ttl_seconds=15)
    runs = [past("old", 15), past("young", 14)]
    assert gone(history, *runs) == ["old"]
    assert next_expiry(runs[1:], Keeping(history), NOW) == 1.0
    assert next_expiry([], Keeping(history), NOW) is None
    assert next_expiry(runs, Keeping(History()), NOW) is None


def test_what_is_not_recorded_stays_until_the_last_resort() -> None:
    history = History(successful=0, failed=0, ttl_seconds=10)
    keeping = Keeping(history, recording=seconds(3600))
    waiting, overdue = past("waiting", 3599), past("overdue", 3600, succeeded=False)
    recorded = replace(past("recorded", 20), is_recorded=True)
    runs = [waiting, overdue, recorded]

    assert [each.name for each in expired(runs, keeping, NOW)] == ["overdue", "recorded"]
    assert next_expiry([past("young", 600)], keeping, NOW) == 3000
    assert next_expiry([replace(past("young", 4), is_recorded=True)], keeping, NOW) == 6


def test_a_run_that_is_held_takes_no_place_of_the_others() -> None:
    keeping = Keeping(History(successful=1), recording=seconds(3600))
    runs = [past("held", 30), replace(past("old", 20), is_recorded=True), past("new", 10)]
    assert [each.name for each in expired(runs, keeping, NOW)] == ["old"]


def test_a_conditions_time_moves_only_with_its_status() -> None:
    first = set_condition((), "Ready", "True", "Ready", "", generation=1, now=NOW)
    later = NOW + seconds(60)
    same = set_condition(first, "Ready", "True", "Other", "Words.", generation=2, now=later)
    assert (same[0].last_transition_time, same[0].reason) == (NOW, "Other")
    assert same[0].observed_generation == 2
    turned = set_condition(same, "Ready", "False", "Other", "", generation=2, now=later)
    assert turned[0].last_transition_time == later
