"""The SDK is loaded when somebody opens the chat: it takes a second and 60 MiB."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heliostat_api.chat.models import Event, ModelError, Request
from heliostat_api.chat.schemas import StatusCode

if TYPE_CHECKING:
    from heliostat_api.chat.claude import Claude


@dataclass
class LateClaude:
    """A ChatModel at that gateway; without an address there is none."""

    gateway_url: str
    _claude: "Claude | None" = None
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, key: str, request: Request) -> AsyncGenerator[Event, None]:
        """See ChatModel."""
        claude = await self._loaded()
        async with aclosing(claude.ask(key, request)) as events:
            async for event in events:
                yield event

    async def cost_nanos(self, key: str, request: str) -> int | None:
        """See ChatModel."""
        return await (await self._loaded()).cost_nanos(key, request)

    async def names(self, key: str) -> tuple[str, ...]:
        """See ChatModel."""
        return await (await self._loaded()).names(key)

    async def warm(self) -> None:
        """See ChatModel."""
        if self.gateway_url:
            await self._loaded()

    async def close(self) -> None:
        """Gives the connections back."""
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
