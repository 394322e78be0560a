"""Pods as the kubelet writes them."""

from heliostat_operator.pods import Terminated


def test_a_container_that_never_started_has_no_start() -> None:
    """Seen with StartError: 56 years of running time would have used up every clock."""
    ended = Terminated.model_validate(
        {"exitCode": 128, "startedAt": "1970-01-01T00:00:00Z", "finishedAt": "2026-11-21T16:33:18Z"}
    )
    assert ended.started_at is None
    assert ended.finished_at is not None
