"""Executions and Agents of one moment, as the operator leaves them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.conditions import Condition
from heliostat_core.executions import (
    AgentRef,
    Attempt,
    Execution,
    ExecutionSpec,
    ExecutionStatus,
    ModelUsed,
    Result,
    Timeout,
    TranscriptRef,
    Usage,
)
from heliostat_core.resources import ObjectMeta

MOMENT = datetime(2026, 8, 20, 16, 0, 0, tzinfo=UTC)


def build_condition(type_: str, status: str, reason: str, message: str = "") -> Condition:
    return Condition.model_validate(
        {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": MOMENT - timedelta(seconds=10),
        }
    )


def build_execution(status: ExecutionStatus | None = None) -> Execution:
    return Execution(
        metadata=ObjectMeta(
            name="sales-1", uid="u-1", creation_timestamp=MOMENT - timedelta(minutes=3)
        ),
        spec=ExecutionSpec(agent_ref=AgentRef(name="sales")),
        status=status or ExecutionStatus(),
    )


def build_attempt(**fields: object) -> Attempt:
    known = {
        "number": 1,
        "job_name": "sales-1-1",
        "pod_name": "sales-1-1-ab3de",
        "node_name": "here",
        "created_time": MOMENT - timedelta(seconds=60),
        "start_time": MOMENT - timedelta(seconds=52),
        "key_expires_time": MOMENT + timedelta(days=1),
    }
    return Attempt.model_validate(known | fields)


@pytest.fixture
def now() -> datetime:
    return MOMENT


@pytest.fixture
def make_condition() -> Callable[..., Condition]:
    return build_condition


@pytest.fixture
def make_attempt() -> Callable[..., Attempt]:
    return build_attempt


@pytest.fixture
def make_execution() -> Callable[..., Execution]:
    return build_execution


@pytest.fixture
def succeeded() -> Execution:
    """A verified run of 12 s."""
    attempt = build_attempt(
        end_time=MOMENT - timedelta(seconds=40), exit_code=0, reason="Verified", cost_micros=104_282
    )
    return build_execution(
        ExecutionStatus(
            phase="Succeeded",
            conditions=(
                build_condition("Succeeded", "True", "Verified", "Verified by check."),
                build_condition("Settled", "True", "Settled"),
            ),
            attempts=(attempt,),
            start_time=MOMENT - timedelta(seconds=52),
            completion_time=MOMENT - timedelta(seconds=40),
            duration_seconds=12,
            timeout=Timeout(effective_seconds=600, source="Agent spec.limits.timeoutSeconds"),
            model=ModelUsed(name="scripted/demo", provider="scripted"),
            usage=Usage(
                requests=4,
                input_tokens=1650,
                output_tokens=1560,
                cache_read_tokens=32160,
                cache_write_tokens=12010,
            ),
            cost_micros=104_282,
            result=Result(text="24 sales.\nMost in West."),
            transcript_ref=TranscriptRef(path=".heliostat/transcript-1.jsonl"),
            correlation_id="u-1",
        )
    )


@pytest.fixture
def refused(succeeded: Execution) -> Execution:
    """The same run, refused by verify."""
    conditions = (
        build_condition("Succeeded", "False", "VerificationFailed", "check: totals differ"),
        build_condition("Settled", "False", "OpenCalls"),
    )
    status = succeeded.status.model_copy(update={"phase": "Failed", "conditions": conditions})
    return succeeded.model_copy(update={"status": status})


@pytest.fixture
def agent() -> Agent:
    return Agent(
        metadata=ObjectMeta(name="sales", creation_timestamp=MOMENT - timedelta(minutes=5)),
        spec=AgentSpec(prompt="Report on sales.\nBe exact."),
    )
