"""The connection of the chat to a model: whose key pays, which model answers, its lazy client."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.base.person import Person
from heliostat_api.chat.models import Event, ModelError, Request, TextMore
from heliostat_api.chat.schemas import StatusCode
from heliostat_api.gateway.caps import Caps
from heliostat_api.gateway.client import Gateway
from heliostat_api.web.problems import ProblemError
from heliostat_core.agents import DEFAULT_MODEL

if TYPE_CHECKING:
    from heliostat_api.chat.claude import Claude

SCRIPT: Final = "scripted/designer"
SECONDS: Final = 0.05
"""Text reaches a screen at most twenty times a second."""
_KEPT_SECONDS: Final = 60.0


class NoKeyError(Exception):
    """There is no key for this person; the text says why, with the remedy."""

    def __init__(self, said: str, code: StatusCode = StatusCode.FAILED) -> None:
        super().__init__(said)
        self.code = code


class PersonKeys(Protocol):
    """Issues keys: the person who talks pays, within their cap."""

    async def key_for(self, person: Person, conversation_id: str) -> str:
        """Returns a short-lived key of that person for one conversation. Raises NoKeyError."""


class NoPersonKeys:
    """Implements PersonKeys where there is no gateway: no person has a key."""

    async def key_for(self, person: Person, conversation_id: str) -> str:  # noqa: ARG002
        raise NoKeyError(
            "This server has no gateway, so nobody can answer: its owner sets where one is."
        )


@dataclass(frozen=True)
class SignedPersonKeys:
    """Implements PersonKeys with keys that the api signs: the gateway trusts its public key."""

    gateway: Gateway
    caps: Caps

    async def key_for(self, person: Person, conversation_id: str) -> str:
        try:
            budgets = await self.caps.admit(person)
            return self.gateway.person_key(person.id, conversation_id, budgets)
        except ProblemError as error:
            raise NoKeyError(str(error), StatusCode.CAP_REACHED) from error
        except GatewayAwayError as error:
            raise NoKeyError(str(error), StatusCode.UNAVAILABLE) from error


@dataclass(frozen=True)
class ModelConnection:
    """Says how answers reach a model. `model` is its name; when it is empty the default model
    answers, or a script where the gateway has no provider for it. An answer waits `test_seconds`
    for the end of a test run."""

    gateway_url: str
    keys: PersonKeys
    model: str = ""
    test_seconds: int = 120


class ModelNames(Protocol):
    """Lists models: the part of ChatModel that a choice needs."""

    async def names(self, key: str) -> tuple[str, ...]:
        """Returns the models that this key may ask for. Raises ModelError."""


@dataclass
class ModelChoice:
    """Chooses the model that answers: the one of the settings, else the default model where the
    gateway has a provider for it, else the script."""

    model: ModelNames
    wanted: str = ""
    clock: Callable[[], float] = time.monotonic
    _chosen: str = field(default="", init=False)
    _until: float = field(default=0.0, init=False)

    async def choose(self, key: str) -> str:
        """Returns the name of the model, which is kept for a minute. Raises ModelError."""
        if self.wanted:
            return self.wanted
        if not self._chosen or self.clock() >= self._until:
            names = await self.model.names(key)
            self._chosen = DEFAULT_MODEL if DEFAULT_MODEL in names else SCRIPT
            self._until = self.clock() + _KEPT_SECONDS
        return self._chosen


@dataclass
class LazyClaude:
    """Implements ChatModel; loads the SDK, which takes a second and 60 MiB, when a person opens the
    chat. Without an address there is no model."""

    gateway_url: str
    _claude: "Claude | None" = None
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, key: str, request: Request) -> AsyncGenerator[Event, None]:
        claude = await self._loaded()
        async with aclosing(claude.ask(key, request)) as events:
            async for event in events:
                yield event

    async def cost_nanos(self, key: str, request: str) -> int | None:
        return await (await self._loaded()).cost_nanos(key, request)

    async def names(self, key: str) -> tuple[str, ...]:
        return await (await self._loaded()).names(key)

    async def warm(self) -> None:
        if self.gateway_url:
            await self._loaded()

    async def close(self) -> None:
        if self._claude is not None:
            await self._claude.close()

    async def _loaded(self) -> "Claude":
        if not self.gateway_url:
            raise ModelError(
                StatusCode.FAILED,
                "this server has no gateway.",
            )
        async with self._loading:
            if self._claude is None:
                self._claude = await asyncio.to_thread(_load, self.gateway_url)
        return self._claude


def _load(gateway_url: str) -> "Claude":
    from heliostat_api.chat.claude import Claude

    return Claude(gateway_url)


async def coalesce(
    events: AsyncGenerator[Event, None], seconds: float = SECONDS
) -> AsyncGenerator[Event, None]:
    """Joins pieces of text that come fast; yields the same events in order, text at most `seconds`
    late. Closing it closes `events`."""
    loop = asyncio.get_running_loop()
    waiting: list[str] = []
    due = 0.0
    coming: asyncio.Task[Event | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(events))
            left = max(0.0, due - loop.time()) if waiting else None
            await asyncio.wait({coming}, timeout=left)
            if waiting and (not coming.done() or not _is_text(coming) or loop.time() >= due):
                yield TextMore("".join(waiting))
                waiting.clear()
            if not coming.done():
                continue
            done, coming = coming, None
            event = done.result()
            if event is None:
                return
            if isinstance(event, TextMore):
                due = due if waiting else loop.time() + seconds
                waiting.append(event.text)
            else:
                yield event
    finally:
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming
        await events.aclose()


async def _next(events: AsyncGenerator[Event, None]) -> Event | None:
    return await anext(events, None)


def _is_text(task: asyncio.Task[Event | None]) -> bool:
    return task.exception() is None and isinstance(task.result(), TextMore)
