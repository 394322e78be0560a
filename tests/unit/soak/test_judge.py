"""The judge of a soak can fail: each fault is found, and a good soak has none."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from heliostat_core.executions import Attempt
from soak.judge import Remains, judge
from soak.seen import End, Run
from support.builders.resources import NOW

UID = "uid-1"
GOOD = Remains(
    executions=[UID],
    children={"Job steady-1-1": UID},
    ledger={UID: {1: 2_400_000}},
    agents={"steady": 2_400_000},
)


def make_attempt(number: int, cost_micros: int = 0) -> Attempt:
    name = f"steady-1-{number}"
    return Attempt(
        number=number,
        job_name=name,
        created_time=NOW,
        key_expires_time=NOW,
        cost_micros=cost_micros,
    )


def make_run(story: str = "steady", phase: str = "Succeeded") -> Run:
    return Run(
        name=f"{story}-1",
        uid=UID,
        story=story,
        ends=[End(phase, "Unverified", NOW)],
        is_settled=True,
        is_released=True,
        attempts=(make_attempt(1, 2400),),
        cost_micros=2400,
        jobs={"steady-1-1": {"job-1"}},
        pods={"job-1": {"pod-1"}},
        most_jobs_live=1,
    )


def faults(run: Run, remains: Remains = GOOD, *made: str) -> list[str]:
    return [each.fault for each in judge(made or (run.name,), [run], remains)]


def test_nothing_is_wrong_with_a_good_run() -> None:
    assert faults(make_run()) == []


def test_a_run_that_went_after_its_end_is_not_lost() -> None:
    run = make_run()
    run.is_gone = True
    assert faults(run, replace(GOOD, executions=[], children={})) == []


def unfinished(run: Run) -> None:
    run.ends = []


def unsettled(run: Run) -> None:
    run.is_settled = False


def two_ends(run: Run) -> None:
    run.ends.append(End("Failed", "PodLost", NOW))


def reopened(run: Run) -> None:
    run.reopened = True


def two_jobs_of_a_name(run: Run) -> None:
    run.jobs["steady-1-1"].add("job-2")


def two_attempts_at_once(run: Run) -> None:
    run.most_jobs_live = 2


def a_gap_between_attempts(run: Run) -> None:
    run.attempts = (make_attempt(1, 2400), make_attempt(3))


def a_job_without_a_record(run: Run) -> None:
    run.jobs["steady-1-2"] = {"job-2"}


def two_pods_of_a_job(run: Run) -> None:
    run.pods["job-1"].add("pod-2")


def another_sum(run: Run) -> None:
    run.cost_micros = 2401


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (unfinished, "stuck"),
        (unsettled, "stuck"),
        (two_ends, "double"),
        (reopened, "double"),
        (two_jobs_of_a_name, "double"),
        (two_attempts_at_once, "double"),
        (a_gap_between_attempts, "double"),
        (a_job_without_a_record, "double"),
        (two_pods_of_a_job, "twin"),
        (another_sum, "sum"),
    ],
)
def test_a_fault_of_a_run_is_found(change: Callable[[Run], None], fault: str) -> None:
    run = make_run()
    change(run)
    assert set(faults(run)) == {fault}


@pytest.mark.parametrize(
    ("remains", "fault"),
    [
        (replace(GOOD, live_keys=[(UID, 1)]), "live key"),
        (replace(GOOD, children={"Job steady-0-1": "uid-0"}), "left over"),
        (replace(GOOD, agents={"steady": 2_400_001}), "sum"),
    ],
)
def test_a_fault_of_what_remains_is_found(remains: Remains, fault: str) -> None:
    assert faults(make_run(), remains) == [fault]


def test_a_run_without_an_end_that_is_not_there_is_lost() -> None:
    run = make_run()
    run.ends, run.is_gone = [], True
    assert faults(run, replace(GOOD, executions=[], children={})) == ["lost"]


def test_a_run_that_nobody_saw_is_lost() -> None:
    assert faults(make_run(), GOOD, "steady-1", "steady-2") == ["lost"]


def test_a_run_that_was_deleted_while_it_ran_has_no_end() -> None:
    run = make_run("vanished")
    run.ends, run.is_gone = [], True
    remains = Remains(ledger={UID: {1: 2_400_000}}, agents={"vanished": 2_400_000})
    assert faults(run, remains) == []


def test_a_story_has_its_end_and_its_fewest_attempts() -> None:
    agents = replace(GOOD, agents={})
    assert faults(make_run("steady", "Failed"), agents) == ["wrong end"]
    assert faults(make_run("killed"), agents) == ["wrong end"]
    assert faults(make_run("crashed", "Failed"), agents) == []


@pytest.mark.parametrize("story", ["deleted", "evicted"])
def test_a_run_whose_pod_was_taken_has_a_further_attempt(story: str) -> None:
    agents = replace(GOOD, agents={})
    run = make_run(story)
    assert faults(run, agents) == [], "nobody came to it: the API server was away"
    run.taken.add("pod-1")
    assert faults(run, agents) == ["wrong end"]
    run.succeeded.add("pod-1")
    assert faults(run, agents) == [], "it had ended by itself before it went"


def test_a_gateway_that_takes_no_key_at_all_has_shown_nothing() -> None:
    assert faults(make_run(), replace(GOOD, takes_good_keys=False)) == ["live key"]
