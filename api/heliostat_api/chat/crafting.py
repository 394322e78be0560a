"""Tools that write the draft, save_agent and set_schedule; and preview_schedule."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.edits import AgentPatch, Edit, checked, edit_of, merge
from heliostat_api.chat.scenes import Outcome, RefusedError, Scene, told
from heliostat_api.chat.shelf import Shelf
from heliostat_api.chat.tools import PreviewSchedule, SaveAgent, SetSchedule
from heliostat_api.chat.views import AgentCardPart, SchedulePreviewPart
from heliostat_api.records.contents import Content, missing_in
from heliostat_api.records.conversations import ConversationRecord
from heliostat_api.schedules.previews import SchedulePreviewRequest, SchedulePreviews
from heliostat_api.web.idempotency import IdempotencyKey

_NOTE = "by chat"


@dataclass(frozen=True)
class Crafting:
    """Writes drafts, as their person's own editing does."""

    drafts: Drafts
    shelf: Shelf
    previews: SchedulePreviews

    async def save(self, scene: Scene, given: SaveAgent) -> Outcome:
        """Raises problems. Of an answer that goes on after a crash, the agent that it had made."""
        patch = AgentPatch(name=given.name, description=given.description, spec=spec_of(given))
        edit = edit_of(patch)
        if scene.agent:
            return await self._edit(scene, scene.agent, edit)
        if given.name is None:
            raise RefusedError("name: a new agent needs one.")
        content = checked(edit(Content(name=given.name)))
        asked = IdempotencyKey(f"agent of {scene.answer}", scene.answer)
        saved = await self.drafts.create(scene.person, content, asked, scene.correlation, _NOTE)
        await self.shelf.change(scene.conversation, lambda each: about(each, saved.agent))
        return await self._edit(scene, saved.agent, lambda _: content)

    async def schedule(self, scene: Scene, given: SetSchedule) -> Outcome:
        """The schedule as a whole: what was there before is no part of it. Raises problems."""
        schedule = None if given.schedule is None else zoned(given.schedule, scene.time_zone)

        def edit(before: Content) -> Content:
            kept = {key: each for key, each in before.spec.items() if key != "schedule"}
            spec = kept if schedule is None else {**kept, "schedule": schedule}
            return before.model_copy(update={"spec": spec})

        agent = scene.needed_agent()
        outcome = await self._edit(scene, agent, edit)
        if schedule is None:
            return outcome
        return replace(outcome, parts=(*outcome.parts, self._look(agent, schedule)))

    async def preview(self, scene: Scene, given: PreviewSchedule) -> Outcome:
        """Raises problems."""
        agent = scene.needed_agent()
        draft = (await self.drafts.read(scene.person, agent)).draft
        saved = draft.spec.get("schedule")
        if given.schedule is None and not isinstance(saved, Mapping):
            raise RefusedError("schedule: the agent has none yet, so name one.")
        schedule = given.schedule or (saved if isinstance(saved, Mapping) else {})
        part = self._look(agent, zoned(schedule, scene.time_zone))
        return told(part.model_dump(mode="json", by_alias=True, exclude={"type"}), part)

    def _look(self, agent: str, schedule: dict[str, JsonValue]) -> SchedulePreviewPart:
        view = self.previews.look(SchedulePreviewRequest(schedule=schedule))
        return SchedulePreviewPart(
            agent_id=agent,
            schedule=schedule,
            time_zone=view.time_zone,
            words=view.words,
            fires=view.fires,
        )

    async def _edit(self, scene: Scene, agent: str, edit: Edit) -> Outcome:
        await self.drafts.edit(scene.person, agent, edit, None, scene.correlation, _NOTE)
        return await self._outcome(scene, agent)

    async def _outcome(self, scene: Scene, agent: str) -> Outcome:
        draft = (await self.drafts.read(scene.person, agent)).draft
        said: dict[str, JsonValue] = {
            "agent": agent,
            "revision": draft.latest,
            "status": draft.status,
            "name": draft.name,
            "description": draft.description,
            "spec": dict(draft.spec),
            "missing": list(missing_in(draft.spec)),
        }
        return told(said, AgentCardPart(agent_id=agent, revision=draft.latest))


def spec_of(given: SaveAgent) -> dict[str, JsonValue]:
    """The patch of a spec; what has a field of its own wins."""
    own: dict[str, JsonValue] = {}
    if given.prompt is not None:
        own["prompt"] = given.prompt
    if given.model is not None:
        own["model"] = {"name": given.model}
    merged = merge(dict(given.spec or {}), own)
    assert isinstance(merged, dict)
    return merged


def zoned(schedule: Mapping[str, JsonValue], time_zone: str) -> dict[str, JsonValue]:
    """In the person's zone, unless it names one."""
    return {"timeZone": time_zone, **schedule}


def about(record: ConversationRecord, agent: str) -> ConversationRecord:
    return replace(record, agent_id=agent)
