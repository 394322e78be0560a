"""Which finished Executions may go, and when a condition's time moves."""

from heliostat_core.agents import History
from heliostat_core.conditions import set_condition
from heliostat_operator.history import Past, expired, next_expiry
from support.builders.resources import NOW, seconds


def past(name: str, ago: float, *, succeeded: bool = True) -> Past:
    return Past(name, f"uid-{name}", succeeded, NOW - seconds(ago))


def gone(history: History, *runs: Past) -> list[str]:
    return [each.name for each in expired(runs, history, NOW)]


def test_the_oldest_go_first_successes_and_failures_by_their_own_numbers() -> None:
    runs = [past("a", 30), past("b", 20), past("c", 10), past("f", 40, succeeded=False)]
    assert gone(History(successful=1, failed=1), *runs) == ["a", "b"]
    assert gone(History(successful=0, failed=0), *runs) == ["f", "a", "b", "c"]


def test_a_ttl_takes_what_the_numbers_would_keep() -> None:
    history = History(ttl_seconds=15)
    runs = [past("old", 15), past("young", 14)]
    assert gone(history, *runs) == ["old"]
    assert next_expiry(runs[1:], history, NOW) == 1.0
    assert next_expiry([], history, NOW) is None
    assert next_expiry(runs, History(), NOW) is None


def test_a_conditions_time_moves_only_with_its_status() -> None:
    first = set_condition((), "Ready", "True", "Ready", "", generation=1, now=NOW)
    later = NOW + seconds(60)
    same = set_condition(first, "Ready", "True", "Other", "Words.", generation=2, now=later)
    assert (same[0].last_transition_time, same[0].reason) == (NOW, "Other")
    assert same[0].observed_generation == 2
    turned = set_condition(same, "Ready", "False", "Other", "", generation=2, now=later)
    assert turned[0].last_transition_time == later
