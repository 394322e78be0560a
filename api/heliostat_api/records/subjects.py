"""What is recorded of a resource, and what is reported of it: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic import BaseModel, JsonValue, TypeAdapter

from heliostat_api.base.views import AgentView, ExecutionView, GoneView
from heliostat_api.documents.port import OWNER, Document, Fields
from heliostat_api.documents.writes import MOST_DOCUMENT_BYTES, size_of
from heliostat_api.events.log import Report, ReportType
from heliostat_api.people.topics import owner_field, topics_of_owner_field, topics_of_thing
from heliostat_api.people.visibility import UNOWNED
from heliostat_api.records.drafts import fields_of, read_draft
from heliostat_api.records.fields import (
    LIVE,
    REVISION,
    SCHEDULE_STATUS,
    SHOWN,
    SPEC,
    SPEC_CUT,
    VIEW,
)
from heliostat_api.records.projections import view_agent, view_execution
from heliostat_api.records.states import observe_state
from heliostat_api.records.totals import read_totals, write_usage
from heliostat_core.agents import Agent
from heliostat_core.executions import Execution, Phase
from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import JsonObject

_STATUS: Mapping[str, str] = {
    Phase.SUCCEEDED: "success",
    Phase.FAILED: "failed",
    Phase.CANCELLED: "cancelled",
    Phase.SKIPPED: "cancelled",
    Phase.RUNNING: "running",
    Phase.STOPPING: "running",
}
_JSON = TypeAdapter(dict[str, JsonValue])
MOST_RECORD_BYTES: Final = MOST_DOCUMENT_BYTES - 2**16
"""What is noted in a record later has room beside that."""
_LONG_IN_ORDERS: Final = frozenset({"input", "parameters"})


@dataclass(frozen=True)
class Subject:
    """One state of a resource. `fields` are merged into the document at `path`."""

    path: str
    revision: int
    fields: Fields
    report: Report
    audiences: tuple[str, ...]

    @property
    def key(self) -> str:
        """What makes its report the same one wherever and how often it is made."""
        return f"{self.path}@{self.revision}:{self.report.type}"


def subject_of_execution(
    execution: Execution, owner: str | None, agent_id: str, now: datetime
) -> Subject:
    """The record of a run as it is now."""
    meta, view = execution.metadata, view_execution(execution, is_owned=owner is not None)
    subject = Subject(
        path=f"executions/{meta.uid}",
        revision=revision_of(meta),
        fields={
            OWNER: owner_field(owner, meta.namespace),
            UNOWNED: owner is None,
            "agentName": view.agent,
            "agentId": agent_id,
            "namespace": view.namespace,
            "name": view.name,
            "trigger": view.trigger,
            "correlationId": view.correlation_id,
            "createdAt": view.created_time,
            "tokenUsage": write_usage(view.usage),
            "costMicros": view.cost_micros,
            REVISION: revision_of(meta),
            LIVE: True,
            **_ending(view),
        },
        report=_execution_report(view, now),
        audiences=topics_of_thing(owner, meta.namespace),
    )
    spec = execution.spec.to_json()
    kept = {name: each for name, each in spec.items() if name not in _LONG_IN_ORDERS}
    return _with_spec(subject, spec, kept)


def subject_of_agent(
    agent: Agent, owner: str | None, known: Document | None, now: datetime
) -> Subject:
    """The record of an Agent as it is now. `known` is the one before."""
    meta = agent.metadata
    totals, status = read_totals(known.fields if known else {}), agent.status.schedule
    view = view_agent(agent, totals, is_owned=owner is not None)
    subject = Subject(
        path=f"agents/{meta.uid}",
        revision=revision_of(meta),
        fields={
            OWNER: owner_field(owner, meta.namespace),
            UNOWNED: owner is None,
            "name": meta.name,
            "namespace": meta.namespace,
            "description": view.description,
            "finalAgentPrompt": agent.spec.prompt,
            "status": view.status,
            "createdAt": view.created_time,
            "costMicros": agent.status.cost_micros,
            SCHEDULE_STATUS: status.model_dump(by_alias=True) if status else None,
            REVISION: revision_of(meta),
            LIVE: True,
            SHOWN: True,
            VIEW: as_json(view),
        },
        report=Report(ReportType.AGENT_CHANGED, now, as_json(view)),
        audiences=topics_of_thing(owner, meta.namespace),
    )
    return _with_spec(subject, agent.spec.to_json(), {"prompt": agent.spec.prompt})


def subject_of_draft(
    agent: Agent, known: Document | None, applied: Document | None, now: datetime
) -> Subject | None:
    """The record of an agent that was made in the dashboard, as its resource is now.

    `applied` is the document of the revision that was applied last. None when it is being deleted.
    """
    draft = read_draft(known)
    if known is None or draft is None or draft.deleting:
        return None
    revision = revision_of(agent.metadata)
    fields = fields_of(draft.being(observe_state(agent, applied)), known.id, known.fields)
    return Subject(
        path=known.path,
        revision=revision,
        fields={
            **fields,
            "costMicros": agent.status.cost_micros,
            REVISION: revision,
            LIVE: True,
        },
        report=Report(ReportType.AGENT_CHANGED, now, _viewed(fields)),
        audiences=topics_of_owner_field(draft.user_id),
    )


def subject_of_gone(document: Document, now: datetime) -> Subject:
    """The last record of what was deleted, from the one before.

    A run stays in the history; one that nobody saw end was cancelled by the deletion. An agent of
    the dashboard stays, too, inactive: only its resource is gone.
    """
    owner = str(document.fields[OWNER])
    audiences = topics_of_owner_field(owner)
    if document.path.startswith("executions/"):
        view = _ended(ExecutionView.model_validate(document.fields[VIEW]))
        fields, report = _ending(view), _execution_report(view, now)
    elif draft := read_draft(document):
        fields = fields_of(draft.being(None), document.id, document.fields)
        report = Report(ReportType.AGENT_CHANGED, now, _viewed(fields))
    else:
        agent = AgentView.model_validate(document.fields[VIEW])
        place = GoneView(id=agent.id, namespace=agent.namespace, name=agent.name)
        fields = {"status": "inactive", SHOWN: False}
        report = Report(ReportType.AGENT_DELETED, now, as_json(place))
    # Later than all that was seen of it, and the same when the report has to be made again.
    revision = revision_in(document) + (document.fields.get(LIVE) is True)
    gone: Fields = {**fields, LIVE: False, REVISION: revision}
    return Subject(document.path, revision, gone, report, audiences)


def _with_spec(subject: Subject, spec: JsonObject, kept: JsonObject) -> Subject:
    """With the whole spec, or with what is kept of one that no document holds: a cluster takes
    larger things than a store does."""
    whole: Fields = {**subject.fields, SPEC: spec, SPEC_CUT: False}
    if size_of(subject.path, whole) <= MOST_RECORD_BYTES:
        return replace(subject, fields=whole)
    return replace(subject, fields={**whole, SPEC: kept, SPEC_CUT: True})


def _viewed(fields: Fields) -> dict[str, JsonValue]:
    return as_json(AgentView.model_validate(fields[VIEW]))


def _ended(view: ExecutionView) -> ExecutionView:
    if view.is_finished:
        return view
    return view.model_copy(
        update={
            "phase": Phase.CANCELLED.value,
            "reason": "Deleted",
            "message": "The Execution was deleted before its end was seen.",
            "is_finished": True,
            "blocked_by": (),
        }
    )


def _ending(view: ExecutionView) -> Fields:
    """Fields that a deletion changes too."""
    return {
        "startTime": view.start_time,
        "endTime": view.completion_time,
        "status": _STATUS.get(view.phase, "pending"),
        "phase": view.phase,
        "isFinished": view.is_finished,
        "result": view.result,
        VIEW: as_json(view),
    }


def _execution_report(view: ExecutionView, now: datetime) -> Report:
    return Report(ReportType.EXECUTION_CHANGED, now, as_json(view), view.correlation_id, view.id)


def revision_in(document: Document) -> int:
    """The revision that a document tells of; 0 for one of before there were any."""
    revision = document.fields.get(REVISION)
    return revision if isinstance(revision, int) else 0


def revision_of(meta: ObjectMeta) -> int:
    """Resource versions are compared as numbers, as Kubernetes 1.35 promises that they can be."""
    return int(meta.resource_version or 0)


def as_json(view: BaseModel) -> dict[str, JsonValue]:
    """A view as clients get it."""
    return _JSON.validate_python(view.model_dump(mode="json", by_alias=True))
