"""Which model answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from heliostat_core.agents import DEFAULT_MODEL

SCRIPT: Final = "scripted/designer"
_KEPT_SECONDS: Final = 60.0


class Naming(Protocol):
    """Part of ChatModel."""

    async def names(self, key: str) -> tuple[str, ...]:
        """Models that this key may ask for. Raises ModelError."""


@dataclass
class Choosing:
    """The one of the settings; else the house's usual one where the gateway can ask it, and the
    script where it has no way to a model."""

    model: Naming
    wanted: str = ""
    clock: Callable[[], float] = time.monotonic
    _chosen: str = field(default="", init=False)
    _until: float = field(default=0.0, init=False)

    async def choose(self, key: str) -> str:
        """Raises ModelError."""
        if self.wanted:
            return self.wanted
        if not self._chosen or self.clock() >= self._until:
            names = await self.model.names(key)
            self._chosen = DEFAULT_MODEL if DEFAULT_MODEL in names else SCRIPT
            self._until = self.clock() + _KEPT_SECONDS
        return self._chosen
