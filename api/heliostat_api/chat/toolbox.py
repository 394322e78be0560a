"""Runs the designer's tools as the person who asked: thin calls of what the dashboard's pages call.

No tool activates an agent: only the person does.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from pydantic import JsonValue, ValidationError

from heliostat_api.base.person import Person
from heliostat_api.chat.models import ModelError, ToolUse
from heliostat_api.chat.schemas import Part
from heliostat_api.chat.tools import INPUTS, Input
from heliostat_api.documents.port import StoreError
from heliostat_api.records.contents import path_of
from heliostat_api.web.problems import NotFoundProblem, ProblemError, as_problem
from heliostat_core.worlds import WorldError


class RefusedError(Exception):
    """A tool refuses a call; the text says why and what to do."""


@dataclass(frozen=True)
class ToolResult:
    """The answer of a tool, and parts that the person is shown beside it."""

    text: str
    parts: tuple[Part, ...] = ()
    execution: str | None = None
    is_error: bool = False


Show: TypeAlias = Callable[[ToolResult], Awaitable[None]]
"""Shows what is known so far, before the tool is done."""


@dataclass(frozen=True)
class ToolContext:
    """The context of one call. `agent` is the conversation's, or empty."""

    person: Person
    key: str
    conversation: str
    answer: str
    call: str
    agent: str
    time_zone: str

    @property
    def correlation(self) -> str:
        """All that the call causes carries this id. The id of a call is unique in its conversation
        only."""
        return f"chat-{self.answer}-{self.call}"

    def needed_agent(self) -> str:
        """Returns the agent. Raises RefusedError."""
        if not self.agent:
            raise RefusedError("There is no agent yet: call save_agent first.")
        return self.agent


ReadAgent: TypeAlias = Callable[[Person, str], Awaitable[object]]
"""Reads an agent of a person. Raises NotFoundProblem, and problems for one that is not ours."""
Handler: TypeAlias = Callable[[ToolContext, Mapping[str, JsonValue], Show], Awaitable[ToolResult]]
InputT = TypeVar("InputT", bound=Input)


def handler(
    kind: type[InputT], use: Callable[[ToolContext, InputT, Show], Awaitable[ToolResult]]
) -> tuple[type[Input], Handler]:
    """The handler of a tool validates its input and uses it."""

    async def handle(
        context: ToolContext, given: Mapping[str, JsonValue], show: Show
    ) -> ToolResult:
        return await use(context, kind.model_validate(dict(given)), show)

    return kind, handle


@dataclass(frozen=True)
class Toolbox:
    """Runs a tool by its name; `handlers` has one for each of INPUTS."""

    read_agent: ReadAgent
    handlers: Mapping[type[Input], Handler]

    async def knows(self, person: Person, agent: str) -> bool:
        """Whether there is such an agent, and the person may see it."""
        try:
            await self.read_agent(person, agent)
        except NotFoundProblem:
            return False
        return True

    async def use(self, context: ToolContext, use: ToolUse, show: Show) -> ToolResult:
        """Returns a refusal as a result too, which the model can mend its call by: raises none."""
        kind = INPUTS.get(use.name)
        if kind is None:
            return refusal(f"There is no tool {use.name}.")
        try:
            return await self.handlers[kind](context, use.input, show)
        except ValidationError as error:
            return refusal("; ".join(f"{_path(e['loc'])}: {e['msg']}" for e in error.errors()))
        except (RefusedError, ModelError) as error:
            return refusal(str(error))
        except (ProblemError, StoreError, WorldError) as error:
            return refusal(str(as_problem(error)))


def build_result(
    said: Mapping[str, JsonValue], *parts: Part, execution: str | None = None
) -> ToolResult:
    """The result is data: text of strangers in it stays inside of a JSON string."""
    return ToolResult(json.dumps(said, ensure_ascii=False), parts, execution)


def refusal(said: str) -> ToolResult:
    """The result says why a call is not done."""
    return ToolResult(said, is_error=True)


def shortened(text: str, most: int) -> str:
    """A long text is cut, and says so."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters in all)"


def _path(location: tuple[int | str, ...]) -> str:
    return path_of(location).removeprefix("spec.")
