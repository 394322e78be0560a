"""Each word of kubelet, scheduler and controllers that tells why a pod waits or ended."""

import pytest

from heliostat_core.worlds import JsonObject
from heliostat_operator.runs.diagnosis import diagnose
from heliostat_operator.runs.facts import Ended, Facts, Runs, Waits
from heliostat_operator.runs.pods import EventObject, Job, Pod
from support.builders.pods import (
    job_failed,
    make_condition,
    make_event,
    make_job,
    make_pod,
    make_result,
    running,
    terminated,
    waiting,
)
from support.builders.resources import NOW


def reason_of(
    pod: JsonObject | None, *events: JsonObject, job: JsonObject | None = None, overdue: float = 0
) -> str:
    found = diagnose(
        Facts(
            Job.model_validate(job or make_job()),
            Pod.model_validate(pod) if pod else None,
            tuple(EventObject.model_validate(each) for each in events),
            overdue_seconds=overdue,
        )
    )
    return "Runs" if isinstance(found, Runs) else found.reason


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *(
            (word, "ImagePullFailed")
            for word in (
                "ErrImagePull",
                "ImagePullBackOff",
                "InvalidImageName",
                "ErrImageNeverPull",
                "ImageInspectError",
                "RegistryUnavailable",
            )
        ),
        *(
            (word, "ContainerConfigError")
            for word in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
        ),
        ("CrashLoopBackOff", "InitContainerFailed"),
        ("ContainerCreating", "Starting"),
        ("PodInitializing", "Starting"),
    ],
)
def test_why_a_container_waits_whoever_put_it_into_the_pod(word: str, reason: str) -> None:
    state, begins = waiting(word, "It says so."), waiting("PodInitializing")
    assert reason_of(make_pod("Pending", state)) == reason
    assert reason_of(make_pod("Pending", begins, init={"mesh": state})) == reason
    assert reason_of(make_pod("Pending", begins, after={"mesh": state})) == reason


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("Unschedulable", "False", "Unschedulable"),
        ("SchedulerError", "False", "Unschedulable"),
        ("SchedulingGated", "False", "Starting"),
        ("Unschedulable", "True", "Starting"),
    ],
)
def test_why_no_node_takes_a_pod(word: str, status: str, reason: str) -> None:
    condition = make_condition("PodScheduled", status, word, "0/3 nodes")
    assert reason_of(make_pod("Pending", conditions=[condition])) == reason
    other = make_condition("Initialized", status, word, "0/3 nodes")
    assert reason_of(make_pod("Pending", conditions=[other])) == "Starting"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("FailedMount", "VolumeFailed"),
        ("FailedAttachVolume", "VolumeFailed"),
        ("FailedBinding", "VolumeFailed"),
        ("ProvisioningFailed", "VolumeFailed"),
        ("Scheduled", "Starting"),
        ("FailedCreate", "Starting"),  # of a pod that is there
    ],
)
def test_what_an_event_says_of_a_pod(word: str, reason: str) -> None:
    assert reason_of(make_pod(), make_event(word, "It says so.")) == reason


def test_what_an_event_says_of_a_job_without_a_pod() -> None:
    assert reason_of(None, make_event("FailedCreate", "exceeded quota")) == "PodNotCreated"
    assert reason_of(None, make_event("SuccessfulCreate", "made")) == "Starting"
    assert reason_of(None, job=make_job(make_condition("Suspended"))) == "JobSuspended"
    assert reason_of(None, job=make_job(make_condition("Suspended", "False"))) == "Starting"


def test_the_last_event_counts_and_long_words_are_cut() -> None:
    events = [EventObject.model_validate(make_event("FailedMount", each)) for each in ("a", "b")]
    pod = Pod.model_validate(make_pod())
    found = diagnose(Facts(Job.model_validate(make_job()), pod, tuple(events)))
    assert isinstance(found, Waits)
    assert found.message.startswith("b ")
    for events in (
        [EventObject.model_validate(make_event("FailedMount", "y" * 900))],
        [EventObject.model_validate(make_event("FailedCreate", "y" * 900))],
    ):
        seen = pod if events[0].reason == "FailedMount" else None
        found = diagnose(Facts(Job.model_validate(make_job()), seen, tuple(events)))
        assert isinstance(found, Waits)
        assert (found.message.count("y" * 500), found.message.count("y" * 501)) == (1, 0)
    for word in ("ErrImagePull", "CreateContainerError", "CrashLoopBackOff"):
        waits = Pod.model_validate(make_pod("Pending", waiting(word, "y" * 900)))
        found = diagnose(Facts(Job.model_validate(make_job()), waits))
        assert isinstance(found, Waits)
        assert (found.message.count("y" * 500), found.message.count("y" * 501)) == (1, 0)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("EvictionByEvictionAPI", "Evicted"),
        ("TerminationByKubelet", "Evicted"),
        ("PreemptionByScheduler", "Preempted"),
        ("DeletionByTaintManager", "NodeLost"),
        ("DeletionByPodGC", "NodeLost"),
        ("SomethingNew", "Evicted"),
    ],
)
def test_how_the_cluster_took_a_pod(word: str, reason: str) -> None:
    for status, expected in (("True", reason), ("False", "Killed")):
        condition = make_condition("DisruptionTarget", status, word, "It says so.")
        pod = make_pod("Failed", terminated(137), conditions=[condition])
        assert reason_of(pod) == expected


@pytest.mark.parametrize(
    ("word", "ended", "reason"),
    [
        ("Evicted", True, "Evicted"),
        ("NodeLost", True, "NodeLost"),
        ("NodeShutdown", True, "NodeLost"),
        ("Terminated", True, "NodeLost"),
        ("Shutdown", True, "NodeLost"),
        ("DeadlineExceeded", True, "TimedOut"),
        ("OutOfcpu", False, "NodeLost"),  # the node refused it
        ("OutOfcpu", True, "Killed"),
        ("", False, "PodLost"),
    ],
)
def test_what_the_kubelet_writes_on_the_pod(word: str, ended: bool, reason: str) -> None:
    state = terminated(137) if ended else None
    assert reason_of(make_pod("Failed", state, reason=word, message="It says so.")) == reason


@pytest.mark.parametrize(
    ("word", "code", "reason", "cause"),
    [
        ("OOMKilled", 137, "OutOfMemory", "agent"),
        ("StartError", 128, "StartFailed", "configuration"),
        ("ContainerCannotRun", 127, "StartFailed", "configuration"),
        ("CreateContainerError", 1, "StartFailed", "configuration"),
        ("RunContainerError", 1, "StartFailed", "configuration"),
        ("Error", 137, "Killed", "infrastructure"),
        ("Error", 128, "StartFailed", "configuration"),
        ("Completed", 0, "NoResult", "agent"),
        ("Error", 1, "Exited", "agent"),
        ("Error", 10, "AgentError", "agent"),
        ("Error", 11, "VerificationFailed", "agent"),
        ("Error", 12, "TimedOut", "limit"),
        ("Error", 13, "Stalled", "agent"),
        ("Error", 14, "RuntimeMissing", "configuration"),
        ("Error", 15, "ProviderFailed", "infrastructure"),
        ("Error", 143, "Terminated", "infrastructure"),
    ],
)
def test_how_a_container_ended_that_left_no_word(
    word: str, code: int, reason: str, cause: str
) -> None:
    pod = Pod.model_validate(make_pod("Failed", terminated(code, word)))
    found = diagnose(Facts(Job.model_validate(make_job()), pod))
    assert isinstance(found, Ended)
    assert (found.reason, found.cause, found.exit_code) == (reason, cause, code)
    # A Job keeps the code alone when the pod is gone.
    failed = job_failed(
        "PodFailurePolicy", f"Container agent failed with exit code {code} matching"
    )
    kept = diagnose(Facts(Job.model_validate(make_job(failed)), None))
    assert isinstance(kept, Ended)
    assert kept.exit_code == code
    assert kept.reason == reason or word in ("OOMKilled", "ContainerCannotRun") or code == 1


@pytest.mark.parametrize("is_named", [True, False])
def test_an_image_without_a_runner_is_told_from_one_that_does_not_start(is_named: bool) -> None:
    words = f'exec: "{"heliostat-runner" if is_named else "other"}": not found'
    ended = terminated(128, "StartError", words)
    expected = "RuntimeMissing" if is_named else "StartFailed"
    assert reason_of(make_pod("Failed", ended)) == expected


TOLD = make_result("Failed", "Terminated", "infrastructure")


@pytest.mark.parametrize(
    ("pod", "overdue", "reason"),
    [
        (make_pod("Running", running()), 0, "Runs"),
        (make_pod("Running", running(), deleted=NOW), 0, "Runs"),
        (make_pod("Running", running(), deleted=NOW), 61, "NodeLost"),
        (make_pod("Failed", terminated(143, message=TOLD), deleted=NOW), 0, "PodDeleted"),
        (make_pod("Failed", terminated(143, message=TOLD)), 0, "Terminated"),
        (make_pod("Failed", terminated(143, message=TOLD), reason="Evicted"), 0, "Evicted"),
        (make_pod("Succeeded", terminated(0, message=make_result()), deleted=NOW), 0, "Verified"),
    ],
)
def test_who_told_the_runner_to_leave_stands_on_the_pod(
    pod: JsonObject, overdue: float, reason: str
) -> None:
    assert reason_of(pod, overdue=overdue) == reason
