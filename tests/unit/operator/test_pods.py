"""Pods and Jobs as the kubelet and the controllers write them."""

from collections.abc import Mapping

import pytest

from heliostat_core.resources import Part
from heliostat_core.worlds import JsonObject
from heliostat_operator.runs.pods import (
    ContainerStatus,
    EventObject,
    Job,
    JobStatus,
    Pod,
    PodSpec,
    PodStatus,
    Running,
    StatusCondition,
    Terminated,
    Waiting,
    choose_pod,
)
from support.builders.pods import (
    make_condition,
    make_job,
    make_pod,
    make_result,
    running,
    terminated,
    waiting,
)
from support.builders.resources import NOW

LIVES = make_pod("Running", running(), name="b-lives")
LEAVES = make_pod("Running", running(), name="a-leaves", deleted=NOW)
FAILED = make_pod("Failed", terminated(143), name="a-failed")
SUCCEEDED = make_pod("Succeeded", terminated(0, message=make_result()), name="c-succeeded")
SUCCEEDED_LEAVES = make_pod("Succeeded", terminated(0), name="d-succeeded", deleted=NOW)
FAILED_TOO = make_pod("Failed", terminated(1), name="e-failed")


def has_value(value: object) -> bool:
    """Whether there is a value in it, however deep."""
    return (
        any(has_value(each) for each in value.values())
        if isinstance(value, Mapping)
        else bool(value)
    )


@pytest.mark.parametrize(
    "shape",
    [
        ContainerStatus,
        EventObject,
        JobStatus,
        PodSpec,
        PodStatus,
        Running,
        StatusCondition,
        Terminated,
        Waiting,
    ],
)
def test_what_kubernetes_leaves_out_has_no_value(shape: type[Part]) -> None:
    """It writes no field that is empty or zero."""
    assert not has_value(shape.model_validate({}).model_dump())


def test_a_container_that_never_started_has_no_start() -> None:
    """Seen with StartError: 56 years of running time would have used up every clock."""
    ended = Terminated.model_validate(
        {"exitCode": 128, "startedAt": "1970-01-01T00:00:00Z", "finishedAt": "2026-11-21T16:33:18Z"}
    )
    assert ended.started_at is None
    assert ended.finished_at is not None


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([LEAVES, LIVES], "b-lives"),
        ([FAILED, LIVES], "b-lives"),
        ([SUCCEEDED, LEAVES], "a-leaves"),
        ([FAILED, SUCCEEDED], "c-succeeded"),
        ([FAILED], "a-failed"),
        ([FAILED, SUCCEEDED_LEAVES], "d-succeeded"),
        ([FAILED, FAILED_TOO], "a-failed"),
    ],
)
def test_of_two_pods_of_a_job_the_one_that_lives_is_followed(
    names: list[JsonObject], chosen: str
) -> None:
    """An API server that dies after it stored a pod makes the Job controller ask for another: the
    attempt is over when both are, and a success of one of them is its end."""
    pods = [Pod.model_validate(each) for each in names]
    for order in (pods, pods[::-1]):
        found = choose_pod(order)
        assert found is not None
        assert found.metadata.name == chosen


def test_of_no_pods_there_is_none() -> None:
    assert choose_pod([]) is None


# ---- containers ----------------------------------------------------------------------------------


def pod(document: JsonObject) -> Pod:
    return Pod.model_validate(document)


@pytest.mark.parametrize(
    ("init", "failed"),
    [
        ({}, None),
        ({"wait": running()}, None),
        ({"wait": terminated(0)}, None),
        ({"wait": terminated(1)}, "wait"),
        ({"first": terminated(0), "second": terminated(137), "third": terminated(1)}, "second"),
    ],
)
def test_the_first_init_container_that_failed(
    init: dict[str, JsonObject], failed: str | None
) -> None:
    found = pod(make_pod(init=init)).failed_init
    assert (found.name if found else None) == failed


@pytest.mark.parametrize(
    ("phase", "agent", "others", "is_kept"),
    [
        ("Running", terminated(0), {"proxy": running()}, True),
        ("Running", terminated(0), {"logs": terminated(0), "proxy": waiting("Starting")}, True),
        ("Running", terminated(0), {"proxy": terminated(0)}, False),
        ("Running", terminated(0), {}, False),
        ("Running", running(), {"proxy": running()}, False),
        ("Failed", terminated(1), {"proxy": running()}, False),
    ],
)
def test_a_pod_goes_on_by_its_sidecars_alone(
    phase: str, agent: JsonObject, others: dict[str, JsonObject], is_kept: bool
) -> None:
    for before, after in ((others, None), (None, others)):
        made = pod(make_pod(phase, agent, before=before, after=after))
        assert made.is_kept_by_sidecar is is_kept
        assert {each.name for each in made.others} == set(others)


@pytest.mark.parametrize(
    ("phases", "is_over"),
    [(("Pending", "Running", "Unknown"), False), (("Succeeded", "Failed"), True)],
)
def test_a_pod_is_over_when_its_phase_is_final(phases: tuple[str, ...], is_over: bool) -> None:
    assert [pod(make_pod(each)).is_over for each in phases] == [is_over] * len(phases)


# ---- Jobs ----------------------------------------------------------------------------------------

FAILS = make_condition("FailureTarget", reason="PodFailurePolicy")
HAS_FAILED = make_condition("Failed", reason="BackoffLimitExceeded")
NOT_FAILED = make_condition("Failed", "False", reason="Nothing")
SUSPENDED = make_condition("Suspended", reason="JobSuspended")
COMPLETE = make_condition("Complete", reason="CompletionsReached")
CRITERIA = make_condition("SuccessCriteriaMet", reason="CompletionsReached")


@pytest.mark.parametrize(
    ("conditions", "failure", "is_complete"),
    [
        ([], None, False),
        ([SUSPENDED], None, False),
        ([FAILS], "PodFailurePolicy", False),
        ([HAS_FAILED], "BackoffLimitExceeded", False),
        ([NOT_FAILED, FAILS, HAS_FAILED], "PodFailurePolicy", False),
        ([NOT_FAILED], None, False),
        ([COMPLETE], None, True),
        ([CRITERIA], None, True),
        ([SUSPENDED, CRITERIA, COMPLETE], None, True),
        ([make_condition("Complete", "False")], None, False),
    ],
)
def test_the_end_of_a_job_is_what_its_conditions_say(
    conditions: list[JsonObject], failure: str | None, is_complete: bool
) -> None:
    job = Job.model_validate(make_job(*conditions))
    assert (job.failure.reason if job.failure else None) == failure
    assert job.is_complete is is_complete


@pytest.mark.parametrize(
    ("failed", "succeeded", "is_counted"),
    [(0, 0, False), (1, 0, True), (0, 1, True), (1, 1, True), (2, 1, True)],
)
def test_a_job_whose_pod_is_counted_makes_no_other(
    failed: int, succeeded: int, is_counted: bool
) -> None:
    status = {"failed": failed, "succeeded": succeeded}
    assert Job.model_validate({**make_job(), "status": status}).has_counted is is_counted
