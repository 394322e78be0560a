"""A run as spans, told when it has ended: from its own record, so nothing is kept meanwhile.

A pod reaches no collector, and must not: whatever an agent runs could write there. So the operator
tells of the pod and of what ran in it, from what the runner said.
"""

from collections.abc import Iterator
from datetime import datetime

from heliostat_core.conditions import ExecutionCondition, is_true
from heliostat_core.executions import Attempt, Execution
from heliostat_core.traces import (
    TRACEPARENT_ANNOTATION,
    SpanContext,
    attempt_context,
    queue_context,
    read_header,
    run_context,
    runner_context,
    tick_context,
    trace_of,
)
from heliostat_operator.model.indexes import admitted_time
from heliostat_telemetry.spans import Attributes, Span, Spans


class RunSpans:
    """Hears of each status that is written, and tells of runs that have ended."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def moved(self, before: Execution, after: Execution) -> None:
        """See reconcile.Follower."""
        if after.is_finished and not before.is_finished:
            for span in spans_of(after):
                self._spans.tell(span)


def spans_of(execution: Execution) -> Iterator[Span]:
    """What the run was made for, the run, its wait, its attempts and what ran in them. Nothing of
    one that has not ended."""
    created, ended = execution.metadata.creation_timestamp, execution.status.completion_time
    if created is None or ended is None:
        return
    run = run_context(execution.correlation_id, execution.metadata.uid)
    parent, scheduled = asked_by(execution), execution.spec.trigger.scheduled_time
    if parent is None and scheduled is not None and execution.is_scheduled:
        tick = _tick(execution, scheduled, created)
        parent = tick.own
        yield tick
    yield Span(
        name=f"run {execution.spec.agent_ref.name}",
        kind="internal",
        began=created.timestamp(),
        ended=ended.timestamp(),
        attributes=_run_attributes(execution),
        failed=not is_true(execution.status.conditions, ExecutionCondition.SUCCEEDED),
        parent=parent,
        own=run,
    )
    yield _waiting(execution, created, admitted_time(execution) or ended, run)
    for attempt in execution.status.attempts:
        yield from _of_attempt(execution, attempt, ended, run)


def asked_by(execution: Execution) -> SpanContext | None:
    """The span that asked for the run; one of another trace is not followed."""
    said = read_header(execution.metadata.annotations.get(TRACEPARENT_ANNOTATION, ""))
    return said if said and said.trace == trace_of(execution.correlation_id) else None


def _tick(execution: Execution, scheduled: datetime, made: datetime) -> Span:
    """Nobody asked: from the time of the schedule until the run was made for it."""
    return Span(
        name=f"tick {execution.spec.agent_ref.name}",
        kind="internal",
        began=min(scheduled, made).timestamp(),
        ended=made.timestamp(),
        attributes=_said(
            {
                "heliostat.correlation.id": execution.correlation_id,
                "heliostat.trigger": execution.spec.trigger.kind,
                "heliostat.trigger.id": execution.spec.trigger.id,
            }
        ),
        own=tick_context(execution.correlation_id, execution.metadata.uid),
    )


def _waiting(execution: Execution, began: datetime, ended: datetime, run: SpanContext) -> Span:
    return Span(
        name="wait for admission",
        kind="internal",
        began=began.timestamp(),
        ended=max(began, ended).timestamp(),
        parent=run,
        own=queue_context(execution.correlation_id, execution.metadata.uid),
    )


def _of_attempt(
    execution: Execution, attempt: Attempt, over: datetime, run: SpanContext
) -> Iterator[Span]:
    correlation, uid = execution.correlation_id, execution.metadata.uid
    own = attempt_context(correlation, uid, attempt.number)
    ended = attempt.end_time or over
    yield Span(
        name=f"attempt {attempt.number}",
        kind="internal",
        began=attempt.created_time.timestamp(),
        ended=max(attempt.created_time, ended).timestamp(),
        attributes=_attempt_attributes(attempt),
        failed=attempt.cause is not None,
        parent=run,
        own=own,
    )
    if attempt.start_time is None:
        return
    yield Span(
        name="runner",
        kind="internal",
        began=attempt.start_time.timestamp(),
        ended=max(attempt.start_time, ended).timestamp(),
        attributes=_runner_attributes(attempt),
        failed=attempt.cause is not None,
        parent=own,
        own=runner_context(correlation, uid, attempt.number),
    )


def _run_attributes(execution: Execution) -> Attributes:
    meta, status = execution.metadata, execution.status
    return _said(
        {
            "heliostat.correlation.id": execution.correlation_id,
            "heliostat.execution": meta.uid,
            "heliostat.execution.name": meta.name,
            "k8s.namespace.name": meta.namespace,
            "gen_ai.agent.name": f"{meta.namespace}/{execution.spec.agent_ref.name}",
            "heliostat.trigger": execution.spec.trigger.kind,
            "heliostat.trigger.id": execution.spec.trigger.id,
            "heliostat.reason": execution.finished_reason,
            "heliostat.cost_micros": status.cost_micros,
            "heliostat.attempts": len(status.attempts),
        }
    )


def _attempt_attributes(attempt: Attempt) -> Attributes:
    return _said(
        {
            "heliostat.attempt": attempt.number,
            "heliostat.reason": attempt.reason or "",
            "heliostat.cause": attempt.cause or "",
            "k8s.job.name": attempt.job_name,
            "k8s.pod.name": attempt.pod_name or "",
            "k8s.node.name": attempt.node_name or "",
        }
    )


def _runner_attributes(attempt: Attempt) -> Attributes:
    found: dict[str, str | int] = {
        "gen_ai.conversation.id": attempt.session_id or "",
        "heliostat.resumed": attempt.resumed,
        "heliostat.second_attempts": attempt.second_attempts,
    }
    if attempt.exit_code is not None:
        found["process.exit.code"] = attempt.exit_code
    return _said(found)


def _said(attributes: Attributes) -> Attributes:
    """Without empty texts."""
    return {name: value for name, value in attributes.items() if value != ""}
