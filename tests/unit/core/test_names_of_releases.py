"""Names that clusters hold already: another release must find what this one wrote."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

from heliostat_core import names
from heliostat_core.names import (
    attempt_name,
    child_name,
    cron_job_name,
    label_value,
    scheduled_name,
)


def test_labels_annotations_and_finalizers_stay() -> None:
    """Whoever renames one must read the old one, too."""
    said = {
        name: value
        for name, value in vars(names).items()
        if isinstance(value, str) and name.isupper() and name[0] != "_"
    }
    assert said == {
        "GROUP": "heliostat.dev",
        "FIELD_MANAGER": "heliostat-operator",
        "AGENT_LABEL": "heliostat.dev/agent",
        "EXECUTION_LABEL": "heliostat.dev/execution",
        "ATTEMPT_LABEL": "heliostat.dev/attempt",
        "EXECUTION_ANNOTATION": "heliostat.dev/execution",
        "EXECUTION_UID_ANNOTATION": "heliostat.dev/execution-uid",
        "FINISHED_LABEL": "heliostat.dev/finished",
        "NETWORK_LABEL": "heliostat.dev/network",
        "CANARY_LABEL": "heliostat.dev/canary",
        "NETWORK_OF_RUNS": "runs",
        "MANAGED_BY_LABEL": "app.kubernetes.io/managed-by",
        "MANAGED_BY": "heliostat",
        "JOB_NAME_LABEL": "batch.kubernetes.io/job-name",
        "RUN_FINALIZER": "heliostat.dev/run",
        "CLAIM_FINALIZER": "heliostat.dev/claim",
        "OWNER_ANNOTATION": "heliostat.dev/owner",
        "BUDGETS_ANNOTATION": "heliostat.dev/budgets",
        "RECORDED_ANNOTATION": "heliostat.dev/recorded",
        "RESUMED_ANNOTATION": "heliostat.dev/schedule-resumed",
        "CLOUD_FINALIZER": "heliostat.dev/cloud-scheduler",
        "TEST_OF_ANNOTATION": "heliostat.dev/test-of",
        "OFFERED_ANNOTATION": "heliostat.dev/offered-by",
        "AGENT_CONTAINER": "agent",
        "DEFAULT_CONTAINER_ANNOTATION": "kubectl.kubernetes.io/default-container",
        "RUN_DOCUMENT_KEY": "run.json",
        "EXECUTION_KEY_KEY": "key",
        "CRON_NAME": "heliostat-cron",
        "GUARD_NAME": "heliostat-runs",
    }


def hash_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def test_a_name_of_63_characters_stays_whole_and_a_longer_one_is_cut_with_a_hash() -> None:
    assert child_name("x" * 61, "1") == f"{'x' * 61}-1"
    assert child_name("x" * 62, "1") == f"{'x' * 52}-{hash_of('x' * 62)}-1"
    assert label_value("x" * 63) == "x" * 63
    assert label_value("x" * 64) == f"{'x' * 54}-{hash_of('x' * 64)}"
    assert attempt_name("report", 12) == "report-12"


def test_no_stroke_is_doubled_where_a_name_is_cut() -> None:
    assert child_name(f"{'x' * 51}-{'y' * 20}", "1").startswith(f"{'x' * 51}-")
    assert "--" not in child_name(f"{'x' * 51}-{'y' * 20}", "1")
    assert "--" not in label_value(f"{'x' * 53}-{'y' * 20}")
    assert "--" not in cron_job_name(f"{'x' * 27}-{'y' * 40}")


def test_the_run_of_a_time_is_named_by_that_time_wherever_it_is_read() -> None:
    time = datetime(2026, 3, 1, 8, 30, 5, tzinfo=UTC)
    assert scheduled_name("report", time) == "report-20260301t083005z"
    seoul = timezone(timedelta(hours=9))
    assert scheduled_name("report", time.astimezone(seoul)) == "report-20260301t083005z"


def test_a_cron_job_has_52_characters_at_most() -> None:
    """Kubernetes adds eleven to it."""
    assert cron_job_name("x" * 37) == f"heliostat-cron-{'x' * 37}"
    longer = cron_job_name("x" * 38)
    assert len(longer) == 52
    assert longer == f"heliostat-cron-{'x' * 28}-{hash_of('x' * 38)}"
    assert cron_job_name("x" * 38) != cron_job_name("x" * 39)
