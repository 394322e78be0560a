"""Where a tool is called, and what it answers."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from heliostat_api.base.person import Person
from heliostat_api.chat.views import Part


class RefusedError(Exception):
    """A call that is not done; the text says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What a tool answers, and parts that the person is shown beside it."""

    text: str
    parts: tuple[Part, ...] = ()
    execution: str | None = None
    is_error: bool = False


def told(said: Mapping[str, JsonValue], *parts: Part, execution: str | None = None) -> Outcome:
    """An answer as data: what strangers wrote stays inside."""
    return Outcome(json.dumps(said, ensure_ascii=False), parts, execution)


def shortened(text: str, most: int) -> str:
    """The beginning, where a text is long."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters in all)"


def refusal(said: str) -> Outcome:
    """A call that is not done, and why."""
    return Outcome(said, is_error=True)


@dataclass(frozen=True)
class Scene:
    """One call. `agent` is the conversation's, empty where there is none (any more)."""

    person: Person
    key: str
    conversation: str
    answer: str
    call: str
    agent: str
    time_zone: str

    @property
    def correlation(self) -> str:
        """What the call causes can be followed by it. Ids of calls are of one conversation only."""
        return f"chat-{self.answer}-{self.call}"

    def needed_agent(self) -> str:
        """Raises RefusedError."""
        if not self.agent:
            raise RefusedError("There is no agent yet: call save_agent first.")
        return self.agent


Show: TypeAlias = Callable[[Outcome], Awaitable[None]]
"""Shows what is known so far, before the tool is done."""
