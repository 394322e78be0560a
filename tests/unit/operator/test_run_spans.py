"""What is told of a run once it has ended."""

from dataclasses import dataclass, field

import pytest

from heliostat_core.conditions import ConditionStatus, FinishedReason
from heliostat_core.executions import SCHEDULED, Attempt, Execution, Trigger
from heliostat_core.traces import (
    TRACEPARENT_ANNOTATION,
    SpanContext,
    attempt_context,
    run_context,
    runner_context,
    tick_context,
    trace_of,
)
from heliostat_operator.observability.run_spans import RunSpans, spans_of
from heliostat_telemetry.spans import Span
from support.builders.resources import (
    NOW,
    make_attempt,
    make_condition_status,
    make_execution,
    seconds,
)

LOST = make_attempt(1, end=NOW + seconds(4), cause="infrastructure", reason="PodLost")
GOOD = make_attempt(
    2,
    created=NOW + seconds(5),
    start=NOW + seconds(8),
    end=NOW + seconds(20),
    pod_name="sales-1-2-x",
    reason=FinishedReason.VERIFIED,
)


def ended(
    *attempts: Attempt, succeeded: ConditionStatus = "True", traceparent: str = ""
) -> Execution:
    reason = FinishedReason.VERIFIED if succeeded == "True" else FinishedReason.AGENT_ERROR
    status = make_condition_status(*attempts, succeeded=succeeded, reason=reason)
    found = make_execution(
        status=status.model_copy(update={"completion_time": NOW + seconds(20)}),
        created=NOW - seconds(3),
        correlationId="dash-1",
    )
    annotations = {TRACEPARENT_ANNOTATION: traceparent} if traceparent else {}
    metadata = found.metadata.model_copy(update={"annotations": annotations})
    return found.model_copy(update={"metadata": metadata})


@dataclass
class Heard:
    told: list[Span] = field(default_factory=list)

    def tell(self, span: Span) -> SpanContext:
        self.told.append(span)
        return span.own or SpanContext(1, 1)

    async def close(self) -> None:
        """Nothing is kept back."""


def test_a_run_its_wait_its_attempts_and_what_ran_in_them() -> None:
    execution = ended(LOST, GOOD)
    run, wait, lost, good, runner = spans_of(execution)
    uid = execution.metadata.uid
    assert run.own == run_context("dash-1", uid)
    assert run.parent is None
    assert (run.began, run.ended) == (
        (NOW - seconds(3)).timestamp(),
        (NOW + seconds(20)).timestamp(),
    )
    assert not run.failed
    assert wait.parent == lost.parent == good.parent == run.own
    assert wait.ended - wait.began == 3
    assert (lost.failed, good.failed) == (True, False)
    assert lost.attributes["heliostat.reason"] == "PodLost"
    assert good.own == attempt_context("dash-1", uid, 2)
    assert runner.own == runner_context("dash-1", uid, 2)
    assert runner.parent == good.own
    assert runner.ended - runner.began == 12


def test_a_run_stands_below_who_asked_for_it() -> None:
    asked = SpanContext(trace_of("dash-1"), 7)
    assert next(spans_of(ended(GOOD, traceparent=asked.to_header()))).parent == asked


@pytest.mark.parametrize("kind", ["Builtin", "CronJob"])
def test_a_run_of_a_schedule_stands_below_its_time(kind: str) -> None:
    execution = scheduled(ended(GOOD), kind)
    tick, run, *_ = spans_of(execution)
    assert tick.name == "tick sales"
    assert tick.own == tick_context("dash-1", execution.metadata.uid)
    assert tick.parent is None
    assert (tick.began, tick.ended) == ((NOW - seconds(5)).timestamp(), run.began)
    assert tick.attributes["heliostat.trigger.id"] == kind
    assert run.parent == tick.own


def test_a_run_of_a_schedule_that_was_asked_for_stands_below_who_asked() -> None:
    asked = SpanContext(trace_of("dash-1"), 7)
    execution = scheduled(ended(GOOD, traceparent=asked.to_header()), "CloudScheduler")
    run = next(spans_of(execution))
    assert (run.name, run.parent) == ("run sales", asked)


def scheduled(execution: Execution, fired_by: str) -> Execution:
    trigger = Trigger(kind=SCHEDULED, id=fired_by, scheduled_time=NOW - seconds(5))
    spec = execution.spec.model_copy(update={"trigger": trigger})
    return execution.model_copy(update={"spec": spec})


def test_a_span_of_another_trace_is_not_followed() -> None:
    for said in (SpanContext(5, 7).to_header(), "nonsense"):
        assert next(spans_of(ended(GOOD, traceparent=said))).parent is None


def test_a_run_that_failed_says_so() -> None:
    assert next(spans_of(ended(LOST, succeeded="False"))).failed


def test_a_run_is_told_once_and_only_when_it_has_ended() -> None:
    heard = Heard()
    follower = RunSpans(heard)
    active = make_execution(status=make_condition_status(GOOD))
    follower.moved(make_execution(), active)
    assert heard.told == []
    follower.moved(active, ended(GOOD))
    count = len(heard.told)
    follower.moved(ended(GOOD), ended(GOOD))
    assert len(heard.told) == count == 4
