"""The tools about the agent: save_agent, set_schedule, preview_schedule and list_models."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.edits import AgentPatch, Edit, checked, edit_of, merge
from heliostat_api.chat.conversation_repository import ConversationRepository
from heliostat_api.chat.models import ChatModel
from heliostat_api.chat.schemas import AgentCardPart, SchedulePreviewPart
from heliostat_api.chat.toolbox import (
    RefusedError,
    Show,
    ToolContext,
    ToolResult,
    build_result,
)
from heliostat_api.chat.tools import ListModels, PreviewSchedule, SaveAgent, SetSchedule
from heliostat_api.records.contents import Content, missing_in
from heliostat_api.records.conversations import ConversationRecord
from heliostat_api.schedules.previews import SchedulePreviewRequest, SchedulePreviews
from heliostat_api.web.idempotency import IdempotencyKey

_NOTE: Final = "by chat"
_MOST_MODELS: Final = 200


@dataclass(frozen=True)
class AgentTools:
    """Writes drafts, as their person's own editing does."""

    drafts: Drafts
    repository: ConversationRepository
    previews: SchedulePreviews
    model: ChatModel

    async def save(self, context: ToolContext, given: SaveAgent, _: Show) -> ToolResult:
        """Saves the draft. An answer that continues after a crash takes up the agent that it had
        created. Raises problems."""
        patch = AgentPatch(name=given.name, description=given.description, spec=spec_of(given))
        edit = edit_of(patch)
        if context.agent:
            return await self._edit(context, context.agent, edit)
        if given.name is None:
            raise RefusedError("name: a new agent needs one.")
        content = checked(edit(Content(name=given.name)))
        asked = IdempotencyKey(f"agent of {context.answer}", context.answer)
        saved = await self.drafts.create(context.person, content, asked, context.correlation, _NOTE)
        await self.repository.update(
            context.conversation, lambda each: with_agent(each, saved.agent)
        )
        return await self._edit(context, saved.agent, lambda _: content)

    async def schedule(self, context: ToolContext, given: SetSchedule, _: Show) -> ToolResult:
        """Replaces the schedule as a whole. Raises problems."""
        schedule = None if given.schedule is None else zoned(given.schedule, context.time_zone)

        def edit(before: Content) -> Content:
            kept = {key: each for key, each in before.spec.items() if key != "schedule"}
            spec = kept if schedule is None else {**kept, "schedule": schedule}
            return before.model_copy(update={"spec": spec})

        agent = context.needed_agent()
        result = await self._edit(context, agent, edit)
        if schedule is None:
            return result
        return replace(result, parts=(*result.parts, self._preview(agent, schedule)))

    async def preview(self, context: ToolContext, given: PreviewSchedule, _: Show) -> ToolResult:
        """Shows the next times of a schedule. Raises problems."""
        agent = context.needed_agent()
        draft = (await self.drafts.read(context.person, agent)).draft
        saved = draft.spec.get("schedule")
        if given.schedule is None and not isinstance(saved, Mapping):
            raise RefusedError("schedule: the agent has none yet, so name one.")
        schedule = given.schedule or (saved if isinstance(saved, Mapping) else {})
        part = self._preview(agent, zoned(schedule, context.time_zone))
        return build_result(part.model_dump(mode="json", by_alias=True, exclude={"type"}), part)

    async def models(self, context: ToolContext, _given: ListModels, _: Show) -> ToolResult:
        """Lists the models that the person's key may ask for. Raises ModelError."""
        names = await self.model.names(context.key)
        return build_result({"models": list(names[:_MOST_MODELS]), "count": len(names)})

    def _preview(self, agent: str, schedule: dict[str, JsonValue]) -> SchedulePreviewPart:
        view = self.previews.look(SchedulePreviewRequest(schedule=schedule))
        return SchedulePreviewPart(
            agent_id=agent,
            schedule=schedule,
            time_zone=view.time_zone,
            words=view.words,
            fires=view.fires,
        )

    async def _edit(self, context: ToolContext, agent: str, edit: Edit) -> ToolResult:
        await self.drafts.edit(context.person, agent, edit, None, context.correlation, _NOTE)
        return await self._result(context, agent)

    async def _result(self, context: ToolContext, agent: str) -> ToolResult:
        draft = (await self.drafts.read(context.person, agent)).draft
        facts: dict[str, JsonValue] = {
            "agent": agent,
            "revision": draft.latest,
            "status": draft.status,
            "name": draft.name,
            "description": draft.description,
            "spec": dict(draft.spec),
            "missing": list(missing_in(draft.spec)),
        }
        return build_result(
            facts, AgentCardPart(agent_id=agent, revision=draft.latest, name=draft.name)
        )


def spec_of(given: SaveAgent) -> dict[str, JsonValue]:
    """The call patches the spec; a field that the tool has of its own wins."""
    own: dict[str, JsonValue] = {}
    if given.prompt is not None:
        own["prompt"] = given.prompt
    if given.model is not None:
        own["model"] = {"name": given.model}
    merged = merge(dict(given.spec or {}), own)
    assert isinstance(merged, dict)
    return merged


def zoned(schedule: Mapping[str, JsonValue], time_zone: str) -> dict[str, JsonValue]:
    """The schedule is in the person's time zone, unless it names one."""
    return {"timeZone": time_zone, **schedule}


def with_agent(record: ConversationRecord, agent: str) -> ConversationRecord:
    return replace(record, agent_id=agent)
