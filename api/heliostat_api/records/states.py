"""What the resource of a dashboard's agent is, and what others changed of it: pure."""

from collections.abc import Mapping

from pydantic import JsonValue, TypeAdapter, ValidationError

from heliostat_api.documents.port import Document
from heliostat_api.records.annotations import AGENT_REVISION
from heliostat_api.records.contents import Content, whole_spec
from heliostat_api.records.diffs import changes_between
from heliostat_api.records.drafts import ResourceState
from heliostat_api.records.managers import APPLIER, SUSPENDER
from heliostat_api.records.projections import readiness
from heliostat_core.agents import Agent, AgentSpec
from heliostat_core.resources import ManagedFields

_JSON = TypeAdapter(dict[str, JsonValue])
_SUSPEND = "suspend"


def observe_state(agent: Agent, applied: Document | None) -> ResourceState:
    """`applied` is the document of the revision that was applied last, as far as it is known."""
    ready = readiness(agent)
    return ResourceState(
        uid=agent.metadata.uid,
        is_suspended=agent.spec.suspend,
        is_ready=ready.is_ready,
        ready_reason=ready.reason,
        ready_message=ready.message,
        active=agent.status.active,
        applied=applied_revision(agent),
        drift=drift_of(agent, applied),
        schedule=agent.status.schedule,
        spec=_JSON.validate_python(agent.spec.to_json()),
    )


def applied_revision(agent: Agent) -> int | None:
    """Its number, from the resource itself."""
    text = agent.metadata.annotations.get(AGENT_REVISION, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def drift_of(agent: Agent, applied: Document | None) -> tuple[str, ...]:
    """Fields that are not as they were applied; whoever suspended it is told by managed fields."""
    if applied is None:
        return ()
    try:
        content = Content.model_validate(
            {name: applied.fields[name] for name in ("name", "description", "spec")}
        )
        meant = AgentSpec.model_validate(whole_spec(content))
    except ValidationError:  # written by another version: nothing can be said
        return ()
    changed = {
        each.field for each in changes_between(_comparable(meant), _comparable(agent.spec), "spec")
    }
    if not any(map(_suspends, agent.metadata.managed_fields)):
        changed.add(f"spec.{_SUSPEND}")
    return tuple(sorted(changed))


def _comparable(spec: AgentSpec) -> dict[str, JsonValue]:
    return _JSON.validate_python(
        {name: value for name, value in spec.to_json().items() if name != _SUSPEND}
    )


def _suspends(entry: ManagedFields) -> bool:
    """Whether it is us who last set whether it is suspended."""
    fields = entry.fields_v1.get("f:spec")
    is_ours = entry.manager in (APPLIER, SUSPENDER)
    return is_ours and isinstance(fields, Mapping) and f"f:{_SUSPEND}" in fields
