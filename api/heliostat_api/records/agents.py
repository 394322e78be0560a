"""Records of agents, ours and those of the earlier platform (which has only P8's fields)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from heliostat_api.base.views import AgentView
from heliostat_api.documents.port import OWNER, Document, Fields, Value
from heliostat_api.documents.values import instant_in, map_in, text_in
from heliostat_api.records.totals import TokenUsage, usage_in

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class AgentRecord:
    """P8's fields of `agents/{id}`; empty where the document is.

    `schedule` is as its writer had it: text (cron or words) or a map.
    """

    id: str
    user_id: str = ""
    name: str = ""
    description: str = ""
    final_agent_prompt: str = ""
    schedule: Value = None
    status: str = ""
    total_token_usage: TokenUsage = field(default_factory=TokenUsage)
    created_at: datetime | None = None

    def fields(self) -> Fields:
        """To be merged into the document: what it says besides is not ours to drop."""
        return {
            OWNER: self.user_id,
            "name": self.name,
            "description": self.description,
            "finalAgentPrompt": self.final_agent_prompt,
            "schedule": self.schedule,
            "status": self.status,
            "totalTokenUsage": self.total_token_usage.fields(),
            "createdAt": self.created_at,
        }


def read_agent(document: Document) -> AgentRecord:
    """Total: any document is some record."""
    fields = document.fields
    return AgentRecord(
        id=document.id,
        user_id=text_in(fields, OWNER),
        name=text_in(fields, "name"),
        description=text_in(fields, "description"),
        final_agent_prompt=text_in(fields, "finalAgentPrompt"),
        schedule=fields.get("schedule"),
        status=text_in(fields, "status"),
        total_token_usage=usage_in(fields, "totalTokenUsage"),
        created_at=instant_in(fields, "createdAt"),
    )


def view_agent(document: Document) -> AgentView:
    """What people see: the view that was recorded, or one made of P8's fields."""
    recorded = map_in(document.fields, "view")
    if recorded:
        return AgentView.model_validate(recorded)
    record = read_agent(document)
    return AgentView(
        id=record.id,
        namespace="",
        name=record.name or record.id,
        description=record.description,
        model="",
        status=_status(record),
        managed_by="dashboard",
        is_ready=None,
        ready_message="",
        active_executions=0,
        created_time=record.created_at or _EPOCH,
    )


def _status(record: AgentRecord) -> Literal["draft", "inactive"]:
    """Never active: no resource of ours runs it."""
    return "inactive" if record.final_agent_prompt else "draft"
