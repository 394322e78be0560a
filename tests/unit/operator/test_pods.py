"""Pods as the kubelet writes them."""

import pytest

from heliostat_core.worlds import JsonObject
from heliostat_operator.runs.pods import Pod, Terminated, choose_pod
from support.builders.pods import make_pod, make_result, running, terminated
from support.builders.resources import NOW

LIVES = make_pod("Running", running(), name="b-lives")
LEAVES = make_pod("Running", running(), name="a-leaves", deleted=NOW)
FAILED = make_pod("Failed", terminated(143), name="a-failed")
SUCCEEDED = make_pod("Succeeded", terminated(0, message=make_result()), name="c-succeeded")


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
