"""The document of an agent that was made in the dashboard, and what people see of it: pure.

One document has two authors: the person's commands write what the agent is to be, recording writes
`state`, what its resource is. Each keeps what is the other's.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel

from heliostat_api.base.views import AgentView
from heliostat_api.documents.port import Document, Fields
from heliostat_api.records.contents import Content, missing_in, whole_spec
from heliostat_api.records.schedules import read_schedule, say, view_missed, view_pause
from heliostat_api.records.totals import read_totals
from heliostat_core.agents import Model
from heliostat_core.schedules.status import ScheduleStatus

Status = Literal["draft", "active", "inactive"]
MANAGED_BY = "managedBy"
RESOURCE_DELETED: Final = "ResourceDeleted"
_GONE = "Its resource was deleted in the cluster: activate it to have it again."


class Record(BaseModel):
    """A part of a document."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


class ResourceState(Record):
    """What its Agent resource is now. `applied` is the revision that was applied last."""

    uid: str
    is_suspended: bool
    is_ready: bool | None
    ready_message: str
    active: int
    applied: int | None
    drift: tuple[str, ...]
    spec: Mapping[str, JsonValue]
    schedule: ScheduleStatus | None = None
    ready_reason: str = ""


class Draft(Record):
    """The fields that are ours; a document may have more.

    `latest` is the newest revision. `namespace` and `resource` address its resource, whether it is
    there or not. `untold`: the screens have not heard of change number `changes` yet. `deleting`:
    it is gone for everybody, and its rest will be.
    """

    user_id: str
    managed_by: Literal["dashboard"] = "dashboard"
    name: str
    description: str
    spec: Mapping[str, JsonValue]
    created_at: datetime
    status: Status = "draft"
    latest: int = 1
    namespace: str
    resource: str = ""
    state: ResourceState | None = None
    changes: int = 0
    untold: bool = False
    shown: bool = True
    deleting: bool = False

    @property
    def content(self) -> Content:
        return Content.model_construct(name=self.name, description=self.description, spec=self.spec)

    def saying(self, content: Content) -> "Draft":
        """The same agent with another content, as its next revision."""
        return self.model_copy(
            update={
                "name": content.name,
                "description": content.description,
                "spec": content.spec,
                "latest": self.latest + 1,
            }
        )

    def untold_change(self) -> "Draft":
        """The same, one change later, of which the screens are still to hear."""
        return self.model_copy(update={"changes": self.changes + 1, "untold": True})

    def being(self, state: ResourceState | None) -> "Draft":
        """The same with what its resource is now; None: it is gone."""
        active = state is not None and not state.is_suspended
        status: Status = "active" if active else "inactive"
        return self.model_copy(update={"state": state, "status": status})


def read_draft(document: Document | None) -> Draft | None:
    """None for an agent that was not made in the dashboard."""
    if document is None or document.fields.get(MANAGED_BY) != "dashboard":
        return None
    return Draft.model_validate(document.fields)


def fields_of(draft: Draft, agent_id: str, before: Fields) -> Fields:
    """The whole document, with what others wrote into it."""
    own: Fields = draft.model_dump(by_alias=True)
    view: Fields = view_draft(draft, agent_id, before).model_dump(mode="json", by_alias=True)
    prompt = draft.spec.get("prompt")
    return {
        **before,
        **own,
        "finalAgentPrompt": prompt if isinstance(prompt, str) else "",
        "view": view,
    }


def view_draft(draft: Draft, agent_id: str, fields: Fields) -> AgentView:
    """What people see. `fields` are its document's, for what is summed up there."""
    state = draft.state
    schedule, status = read_schedule(draft.spec.get("schedule")), state.schedule if state else None
    is_gone = state is None and draft.status == "inactive"
    return AgentView(
        id=agent_id,
        namespace=draft.namespace,
        name=draft.name,
        description=draft.description,
        model=_model_of(draft.spec),
        status=draft.status,
        managed_by="dashboard",
        is_ready=state.is_ready if state else None,
        ready_message=state.ready_message if state else _GONE if is_gone else "",
        ready_reason=state.ready_reason if state else RESOURCE_DELETED if is_gone else "",
        active_executions=state.active if state else 0,
        created_time=draft.created_at,
        resource=draft.resource,
        revision=draft.latest,
        applied_revision=state.applied if state else None,
        missing=missing_in(draft.spec),
        drift=state.drift if state else (),
        totals=read_totals(fields),
        schedule=say(schedule) if schedule else None,
        next_time=status.next if status and draft.status == "active" else None,
        schedule_paused=view_pause(status),
        schedule_missed=view_missed(status),
        schedule_zone=schedule.time_zone if schedule else None,
    )


def exported_spec(draft: Draft) -> dict[str, JsonValue]:
    """The spec of its manifest: one that somebody deactivated stays so elsewhere."""
    suspended: dict[str, JsonValue] = {"suspend": True} if draft.status == "inactive" else {}
    return {**whole_spec(draft.content), **suspended}


def _model_of(spec: Mapping[str, JsonValue]) -> str:
    model = spec.get("model")
    name = model.get("name") if isinstance(model, Mapping) else None
    return name if isinstance(name, str) else Model().name


def has_schedule(spec: Mapping[str, JsonValue]) -> bool:
    """Whether something starts by it. A schedule that is suspended may be resumed: it counts."""
    return spec.get("schedule") is not None
