"""One answer: the model is called, its tools are used, the model is called again."""

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Final

from heliostat_api.chat.choosing import Choosing
from heliostat_api.chat.history import newest, turns_of
from heliostat_api.chat.keys import NoKeyError, PersonKeys
from heliostat_api.chat.models import (
    Called,
    ChatModel,
    Ended,
    Event,
    ModelError,
    Opened,
    Request,
    TextBegins,
    TextMore,
    ToolUse,
)
from heliostat_api.chat.pieces import gathered
from heliostat_api.chat.saying import Begun
from heliostat_api.chat.scenes import Outcome, Scene, refusal, shortened
from heliostat_api.chat.shelf import Shelf, path_of
from heliostat_api.chat.statuses import Language, cut, language_of, scripted, status, too_long
from heliostat_api.chat.toolbox import Toolbox
from heliostat_api.chat.tools import TOOLS
from heliostat_api.chat.views import ResultPart, StatusCode, StatusPart, TextPart, ToolCallPart
from heliostat_api.chat.writing import Writer
from heliostat_api.documents.port import StoreError
from heliostat_api.documents.reading import text_in
from heliostat_api.documents.values import normalised
from heliostat_api.records.conversations import MessageState, read_conversation

MOST_STEPS: Final = 24
"""Model calls of one answer."""
PROMPT: Final = (files("heliostat_api.chat") / "prompt.md").read_text(encoding="utf-8")
_SCRIPTED: Final = "scripted"
_LONGEST_INPUT: Final = 65_536
_LONGEST_RESULT: Final = 65_536
_MOST_TOKENS: Final = "max_tokens"
_LANGUAGES: Final = {"ko": "Korean", "en": "English"}
End = tuple[MessageState, StatusPart | None]


@dataclass(frozen=True)
class Means:
    """What every answer needs."""

    shelf: Shelf
    model: ChatModel
    choosing: Choosing
    keys: PersonKeys
    toolbox: Toolbox


@dataclass
class _Step:
    """One model call."""

    text: int | None = None
    """Index of the text part that is being said."""
    calls: list[Called] = field(default_factory=list)
    reason: str = ""


class Answer:
    """One try to answer; `writer` writes it."""

    def __init__(self, means: Means, begun: Begun, writer: Writer) -> None:
        self._means = means
        self._begun = begun
        self._writer = writer
        self._key = ""

    @property
    def language(self) -> Language:
        """Of the person who asked."""
        return language_of(text_in(self._writer.record.context, "language"))

    async def write(self) -> End:
        """Until the model has no more to say. Raises StoreError, LostError."""
        try:
            return await self._steps()
        except NoKeyError as error:
            return self._failed(error.code, str(error))
        except ModelError as error:
            return self._failed(error.code, str(error))

    async def settle(self) -> None:
        """What the last call cost, also one that was given up."""
        request = self._writer.record.open_request
        if not (self._key and request):
            return
        nanos = await self._means.model.cost_nanos(self._key, request)
        if nanos is not None:
            self._writer.settle(nanos)

    def _failed(self, code: StatusCode, said: str) -> End:
        return MessageState.FAILED, status(code, self.language, said)

    async def _steps(self) -> End:
        keys, begun = self._means.keys, self._begun
        for number in range(MOST_STEPS):
            if self._writer.is_full:
                return MessageState.STOPPED, too_long(number, self.language)
            self._key = await keys.key_for(begun.person, begun.conversation)
            await self.settle()  # what an earlier try left open
            step = await self._ask(await self._means.choosing.choose(self._key))
            for each in step.calls:
                await self._use(each)
            if not step.calls:
                is_cut = step.reason == _MOST_TOKENS
                return MessageState.DONE, cut(self.language) if is_cut else None
        return MessageState.STOPPED, too_long(MOST_STEPS, self.language)

    async def _ask(self, model: str) -> _Step:
        """One model call, its words and tool calls written as they come."""
        step = _Step()
        events = self._means.model.ask(self._key, await self._request(model))
        try:
            async with aclosing(gathered(events)) as pieces:
                async for event in pieces:
                    await self._hear(step, event)
        except ModelError:
            await self.settle()
            raise
        await self.settle()
        await self._writer.save()
        return step

    async def _hear(self, step: _Step, event: Event) -> None:
        match event:
            case Opened(request=request, provider=provider):
                await self._writer.open(request)
                if provider == _SCRIPTED and not self._writer.has_said_script:
                    wanted = self._means.choosing.wanted
                    await self._writer.add(scripted(wanted, self.language))
            case TextBegins():
                step.text = None
            case TextMore(text=text):
                step.text = await self._say(step.text, text)
            case Called(use=use):
                call = storable(event)
                step.calls.append(call)
                part = ToolCallPart(id=use.id, name=use.name, input=call.use.input)
                await self._writer.add(part)
            case Ended(reason=reason):
                step.reason = reason

    async def _say(self, index: int | None, text: str) -> int:
        """More of the text at that index, or a new one; its index."""
        if index is None:
            return await self._writer.add(TextPart(text=text))
        await self._writer.append(index, text)
        return index

    async def _use(self, called: Called) -> None:
        """A tool's result, shown as soon as there is something of it."""
        index: int | None = None

        async def show(outcome: Outcome) -> None:
            nonlocal index
            part = ResultPart(
                call_id=called.use.id,
                is_error=outcome.is_error,
                text=shortened(outcome.text, _LONGEST_RESULT),
                execution=outcome.execution,
            )
            if index is None:
                index = await self._writer.add(part)
            else:
                await self._writer.put(index, part)
            await self._writer.save()

        if called.problem:
            return await show(refusal(called.problem))
        scene = await self._scene(called.use)
        outcome = await self._means.toolbox.use(scene, called.use, show)
        for part in outcome.parts:
            await self._writer.add(part)
        return await show(outcome)

    async def _scene(self, use: ToolUse) -> Scene:
        return Scene(
            person=self._begun.person,
            key=self._key,
            conversation=self._begun.conversation,
            answer=self._begun.answer,
            call=use.id,
            agent=await self._agent(),
            time_zone=self._time_zone,
        )

    async def _agent(self) -> str:
        """Of the conversation, as it is now; empty for one that was deleted."""
        shelf, person = self._means.shelf, self._begun.person
        document = await shelf.documents.get(path_of(self._begun.conversation))
        agent = read_conversation(document).agent_id if document else ""
        return agent if agent and await self._means.toolbox.knows(person, agent) else ""

    @property
    def _time_zone(self) -> str:
        return text_in(self._writer.record.context, "timeZone") or "UTC"

    async def _request(self, model: str) -> Request:
        latest = await self._means.shelf.latest(self._begun.conversation)
        mine = self._writer.record
        said = [mine if each.id == mine.id else each for each in latest]
        return Request(
            model=model,
            system=system_text(await self._agent(), self.language, self._time_zone),
            tools=TOOLS,
            turns=turns_of(newest(said)),
            conversation=self._begun.conversation,
        )


def system_text(agent: str, language: Language, time_zone: str) -> str:
    """What stays the same for a whole conversation, so that the provider's cache holds."""
    about = f"Agent: {agent}" if agent else "There is no agent yet."
    return (
        f"{PROMPT}\n{about}\nThe person's language: {_LANGUAGES[language]}\n"
        f"The person's time zone: {time_zone}\n"
    )


def storable(called: Called) -> Called:
    """The same; what no document can hold is refused, and its input left out."""
    size = len(str(called.use.input))
    try:
        normalised({"input": called.use.input})
    except StoreError as error:
        return _refused(called, str(error))
    if size > _LONGEST_INPUT:
        return _refused(called, f"The input has {size} characters: at most {_LONGEST_INPUT}.")
    return called


def _refused(called: Called, problem: str) -> Called:
    return Called(replace(called.use, input={}), problem)
