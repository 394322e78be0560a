"""What the watch brought: which Executions need no reading, and which changes are our own."""

from heliostat_core.executions import Execution
from heliostat_operator.runs.caches import FreshExecution, FreshExecutions, OwnWrites
from support.builders.resources import make_execution

KEY = ("default", "sales-1")


def admitted() -> Execution:
    condition = {
        "type": "Admitted",
        "status": "True",
        "reason": "Admitted",
        "lastTransitionTime": "2026-11-20T12:00:00Z",
    }
    document = {**make_execution().to_json(), "status": {"conditions": [condition]}}
    return Execution.model_validate(document)


def test_an_arrival_is_given_once_and_the_newest_one() -> None:
    arrivals = FreshExecutions(iter([1.0, 2.0]).__next__)
    arrivals.bring(KEY, make_execution())
    newer = make_execution(cancel=True)
    arrivals.bring(KEY, newer)
    assert arrivals.take(KEY) == FreshExecution(newer, 2.0)
    assert arrivals.take(KEY) is None


def test_what_is_admitted_is_always_read_and_takes_the_older_arrival_away() -> None:
    arrivals = FreshExecutions(lambda: 0.0)
    arrivals.bring(KEY, make_execution())
    arrivals.bring(KEY, admitted())
    assert arrivals.take(KEY) is None


def test_no_more_arrivals_are_kept_than_a_thousand() -> None:
    arrivals = FreshExecutions(lambda: 0.0)
    for number in range(1100):
        arrivals.bring(("default", f"run-{number}"), make_execution())
    kept = [arrivals.take(("default", f"run-{number}")) for number in range(1100)]
    assert sum(each is not None for each in kept) == 1000
    arrivals.bring(KEY, make_execution())
    assert arrivals.take(KEY) is not None


def test_an_echo_is_heard_once() -> None:
    own_writes = OwnWrites()
    own_writes.expect("7")
    assert (own_writes.heard("7"), own_writes.heard("7"), own_writes.heard("8")) == (
        True,
        False,
        False,
    )


def test_echoes_that_never_come_are_forgotten() -> None:
    own_writes = OwnWrites()
    for number in range(1001):
        own_writes.expect(str(number))
    assert (own_writes.heard("0"), own_writes.heard("1000")) == (False, True)
