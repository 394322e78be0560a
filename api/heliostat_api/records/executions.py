"""Records of executions, ours and those of the earlier platform (which has only P8's fields)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from heliostat_api.base.views import ExecutionView, UsageView
from heliostat_api.documents.port import OWNER, Document, Fields
from heliostat_api.documents.values import (
    count_in,
    instant_in,
    map_in,
    text_in,
)
from heliostat_api.records.totals import TokenUsage, usage_in
from heliostat_core.executions import Phase

_EPOCH = datetime.fromtimestamp(0, UTC)


class Status(StrEnum):
    """How a run is, in the words of P8."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (Status.PENDING, Status.RUNNING)


_PHASES = {
    Status.PENDING: Phase.PENDING,
    Status.RUNNING: Phase.RUNNING,
    Status.SUCCESS: Phase.SUCCEEDED,
    Status.FAILED: Phase.FAILED,
    Status.CANCELLED: Phase.CANCELLED,
}


@dataclass(frozen=True)
class ExecutionRecord:
    """P8's fields of `executions/{uid}` and ours beside them; empty where the document is."""

    id: str
    user_id: str = ""
    agent_id: str = ""
    agent_name: str = ""
    namespace: str = ""
    name: str = ""
    trigger: str = ""
    correlation_id: str = ""
    created_at: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    status: Status = Status.PENDING
    reason: str = ""
    result: str | None = None
    token_usage: TokenUsage = field(default_factory=TokenUsage)
    cost_micros: int = 0
    recorded_at: datetime | None = None

    def fields(self) -> Fields:
        """To be merged into the document: what it says besides is not ours to drop."""
        return {
            OWNER: self.user_id,
            "agentId": self.agent_id,
            "agentName": self.agent_name,
            "namespace": self.namespace,
            "name": self.name,
            "trigger": self.trigger,
            "correlationId": self.correlation_id,
            "createdAt": self.created_at,
            "startTime": self.start_time,
            "endTime": self.end_time,
            "status": self.status.value,
            "reason": self.reason,
            "result": self.result,
            "tokenUsage": self.token_usage.fields(),
            "costMicros": self.cost_micros,
            "recordedAt": self.recorded_at,
        }


def read_execution(document: Document) -> ExecutionRecord:
    """Total: any document is some record."""
    fields = document.fields
    return ExecutionRecord(
        id=document.id,
        user_id=text_in(fields, OWNER),
        agent_id=text_in(fields, "agentId"),
        agent_name=text_in(fields, "agentName"),
        namespace=text_in(fields, "namespace"),
        name=text_in(fields, "name"),
        trigger=text_in(fields, "trigger"),
        correlation_id=text_in(fields, "correlationId"),
        created_at=instant_in(fields, "createdAt"),
        start_time=instant_in(fields, "startTime"),
        end_time=instant_in(fields, "endTime"),
        status=_status_in(fields),
        reason=text_in(fields, "reason"),
        result=None if fields.get("result") is None else text_in(fields, "result"),
        token_usage=usage_in(fields, "tokenUsage"),
        cost_micros=count_in(fields, "costMicros"),
        recorded_at=instant_in(fields, "recordedAt"),
    )


def view_execution(document: Document) -> ExecutionView:
    """What people see: the view that was recorded, or one made of P8's fields."""
    recorded = map_in(document.fields, "view")
    if recorded:
        return ExecutionView.model_validate(recorded)
    return _view(read_execution(document))


def _view(record: ExecutionRecord) -> ExecutionView:
    return ExecutionView(
        id=record.id,
        namespace=record.namespace,
        name=record.name or record.id,
        agent=record.agent_name or record.agent_id,
        phase=_PHASES[record.status].value,
        reason=record.reason,
        message="",
        trigger=record.trigger,
        correlation_id=record.correlation_id,
        created_time=record.created_at or record.start_time or _EPOCH,
        start_time=record.start_time,
        completion_time=record.end_time,
        duration_seconds=_duration(record),
        model=None,
        cost_micros=record.cost_micros,
        usage=_usage(record.token_usage),
        result=record.result,
        blocked_by=(),
        attempts=(),
        is_finished=record.status.is_final,
    )


def _duration(record: ExecutionRecord) -> int | None:
    if record.start_time is None or record.end_time is None:
        return None
    return max(0, int((record.end_time - record.start_time).total_seconds()))


def _usage(usage: TokenUsage) -> UsageView:
    """A sum whose kinds nobody knows has no place in it."""
    return UsageView(
        input_tokens=usage.input,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
    )


def _status_in(fields: Fields) -> Status:
    """One that is not known, of a run that has an end, is a failure; else it waits."""
    try:
        return Status(text_in(fields, "status").lower())
    except ValueError:
        return Status.FAILED if instant_in(fields, "endTime") else Status.PENDING
