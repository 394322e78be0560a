"""Writes one answer: the model is called, its tools are run, the model is called again."""

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Final

from heliostat_api.chat.answer_writer import (
    AnswerWriter,
    Language,
    build_status,
    language_of,
    script_status,
    step_limit_status,
    token_limit_status,
)
from heliostat_api.chat.conversation_repository import ConversationRepository, path_of
from heliostat_api.chat.history import newest, turns_of
from heliostat_api.chat.model_connection import ModelChoice, NoKeyError, PersonKeys, coalesce
from heliostat_api.chat.models import (
    Called,
    CallOpened,
    ChatModel,
    Ended,
    Event,
    ModelError,
    Request,
    TextBegins,
    TextMore,
    ToolUse,
)
from heliostat_api.chat.schemas import ResultPart, StatusCode, StatusPart, TextPart, ToolCallPart
from heliostat_api.chat.start_answer import StartedAnswer
from heliostat_api.chat.toolbox import Toolbox, ToolContext, ToolResult, refusal, shortened
from heliostat_api.chat.tools import TOOLS
from heliostat_api.documents.port import StoreError
from heliostat_api.documents.values import normalised, text_in
from heliostat_api.records.conversations import MessageState, read_conversation

MOST_STEPS: Final = 24
"""One answer has at most that many model calls."""
PROMPT: Final = (files("heliostat_api.chat") / "prompt.md").read_text(encoding="utf-8")
_SCRIPTED: Final = "scripted"
_LONGEST_INPUT: Final = 65_536
_LONGEST_RESULT: Final = 65_536
_MOST_TOKENS: Final = "max_tokens"
_LANGUAGES: Final = {"ko": "Korean", "en": "English"}
End = tuple[MessageState, StatusPart | None]


@dataclass(frozen=True)
class AnswerDependencies:
    """The services that every answer uses."""

    repository: ConversationRepository
    model: ChatModel
    choice: ModelChoice
    keys: PersonKeys
    toolbox: Toolbox


@dataclass
class _Step:
    """The state of one model call."""

    text: int | None = None
    """The index of the text part that grows."""
    calls: list[Called] = field(default_factory=list)
    reason: str = ""


class AnswerAttempt:
    """Produces one try to answer; `writer` writes it."""

    def __init__(
        self, dependencies: AnswerDependencies, started: StartedAnswer, writer: AnswerWriter
    ) -> None:
        self._dependencies = dependencies
        self._started = started
        self._writer = writer
        self._key = ""

    @property
    def language(self) -> Language:
        """The language is that of the person who asked."""
        return language_of(text_in(self._writer.record.context, "language"))

    async def write(self) -> End:
        """Calls the model until it calls no more tools. Raises StoreError, LostError."""
        try:
            return await self._steps()
        except NoKeyError as error:
            return self._failed(error.code, str(error))
        except ModelError as error:
            return self._failed(error.code, str(error))

    async def settle(self) -> None:
        """Records what the last call cost, also one that was given up."""
        request = self._writer.record.open_request
        if not (self._key and request):
            return
        nanos = await self._dependencies.model.cost_nanos(self._key, request)
        if nanos is not None:
            self._writer.settle(nanos)

    def _failed(self, code: StatusCode, said: str) -> End:
        return MessageState.FAILED, build_status(code, self.language, said)

    async def _steps(self) -> End:
        dependencies, started = self._dependencies, self._started
        for number in range(MOST_STEPS):
            if self._writer.is_full:
                return MessageState.STOPPED, step_limit_status(number, self.language)
            self._key = await dependencies.keys.key_for(started.person, started.conversation)
            await self.settle()  # what an earlier try left open
            step = await self._call_model(await dependencies.choice.choose(self._key))
            for each in step.calls:
                await self._run_tool(each)
            if not step.calls:
                is_cut = step.reason == _MOST_TOKENS
                return MessageState.DONE, token_limit_status(self.language) if is_cut else None
        return MessageState.STOPPED, step_limit_status(MOST_STEPS, self.language)

    async def _call_model(self, model: str) -> _Step:
        """Calls the model once; its text and tool calls are written as they come."""
        step = _Step()
        events = self._dependencies.model.ask(self._key, await self._request(model))
        try:
            async with aclosing(coalesce(events)) as pieces:
                async for event in pieces:
                    await self._record(step, event)
        except ModelError:
            await self.settle()
            raise
        await self.settle()
        await self._writer.save()
        return step

    async def _record(self, step: _Step, event: Event) -> None:
        match event:
            case CallOpened(request=request, provider=provider):
                await self._writer.open(request)
                if provider == _SCRIPTED and not self._writer.has_script_status:
                    wanted = self._dependencies.choice.wanted
                    await self._writer.add(script_status(wanted, self.language))
            case TextBegins():
                step.text = None
            case TextMore(text=text):
                step.text = await self._append(step.text, text)
            case Called(use=use):
                call = storable(event)
                step.calls.append(call)
                part = ToolCallPart(id=use.id, name=use.name, input=call.use.input)
                await self._writer.add(part)
            case Ended(reason=reason):
                step.reason = reason

    async def _append(self, index: int | None, text: str) -> int:
        """Appends to the text at that index, or begins one; returns its index."""
        if index is None:
            return await self._writer.add(TextPart(text=text))
        await self._writer.append(index, text)
        return index

    async def _run_tool(self, called: Called) -> None:
        """Runs a tool; its result is shown as soon as there is a part of it."""
        index: int | None = None

        async def show(result: ToolResult) -> None:
            nonlocal index
            part = ResultPart(
                call_id=called.use.id,
                is_error=result.is_error,
                text=shortened(result.text, _LONGEST_RESULT),
                execution=result.execution,
            )
            if index is None:
                index = await self._writer.add(part)
            else:
                await self._writer.put(index, part)
            await self._writer.save()

        if called.problem:
            return await show(refusal(called.problem))
        context = await self._tool_context(called.use)
        result = await self._dependencies.toolbox.use(context, called.use, show)
        for part in result.parts:
            await self._writer.add(part)
        return await show(result)

    async def _tool_context(self, use: ToolUse) -> ToolContext:
        return ToolContext(
            person=self._started.person,
            key=self._key,
            conversation=self._started.conversation,
            answer=self._started.answer,
            call=use.id,
            agent=await self._agent(),
            time_zone=self._time_zone,
        )

    async def _agent(self) -> str:
        """Returns the agent of the conversation as it is now; empty for one that was deleted."""
        dependencies, person = self._dependencies, self._started.person
        path = path_of(self._started.conversation)
        document = await dependencies.repository.documents.get(path)
        agent = read_conversation(document).agent_id if document else ""
        return agent if agent and await dependencies.toolbox.knows(person, agent) else ""

    @property
    def _time_zone(self) -> str:
        return text_in(self._writer.record.context, "timeZone") or "UTC"

    async def _request(self, model: str) -> Request:
        conversation, mine = self._started.conversation, self._writer.record
        latest = await self._dependencies.repository.latest_messages(conversation)
        messages = [mine if each.id == mine.id else each for each in latest]
        return Request(
            model=model,
            system=system_text(await self._agent(), self.language, self._time_zone),
            tools=TOOLS,
            turns=turns_of(newest(messages)),
            conversation=conversation,
        )


def system_text(agent: str, language: Language, time_zone: str) -> str:
    """The text stays the same for a whole conversation, so that the provider's cache holds."""
    about = f"Agent: {agent}" if agent else "There is no agent yet."
    return (
        f"{PROMPT}\n{about}\nThe person's language: {_LANGUAGES[language]}\n"
        f"The person's time zone: {time_zone}\n"
    )


def storable(called: Called) -> Called:
    """A call stays as it is if a document can hold it; else it is refused, without its input."""
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
