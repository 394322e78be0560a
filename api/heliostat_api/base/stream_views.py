"""What the stream of a screen says: a snapshot, then reports."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field, JsonValue

from heliostat_api.base.ask_views import ApprovalReportView, ApprovalView
from heliostat_api.base.views import (
    AgentView,
    ConversationView,
    ExecutionView,
    GoneConversationView,
    GoneView,
    OutputView,
    PersonView,
    PiecesView,
    ThingsView,
    View,
)


class SnapshotView(View):
    """Where a screen begins: everything bounded. Reports after `cursor` change it."""

    cursor: int
    time: datetime
    person: PersonView
    agents: tuple[AgentView, ...]
    executions: tuple[ExecutionView, ...]
    approvals: tuple[ApprovalView, ...] = ()


class ReportView(View):
    """What happened. docs/events.md has the payload of each type. Reports of asks have the names
    of the earlier platform beside ours: `report_type` and `correlation_id`."""

    id: int
    type: str
    correlation_id: str
    execution: str
    time: datetime
    payload: Mapping[str, JsonValue]
    earlier_type: str | None = Field(None, alias="report_type")
    earlier_correlation_id: str | None = Field(None, alias="correlation_id")


class StreamView(View):
    """What the stream's events hold. Each has one of these as its data, or as its payload."""

    snapshot: SnapshotView
    report: ReportView
    agent_changed: AgentView
    agent_deleted: GoneView
    execution_changed: ExecutionView
    execution_output: OutputView
    conversation_changed: ConversationView
    conversation_deleted: GoneConversationView
    execution_pieces: PiecesView
    things_changed: ThingsView
    approval_asked: ApprovalReportView
    approval_decided: ApprovalReportView
    approval_executed: ApprovalReportView
    approval_outcome_unknown: ApprovalReportView
