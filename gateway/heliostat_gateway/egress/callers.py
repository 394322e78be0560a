"""Whose key it is and what it opens: the gateway knows, as for every other use of a key."""

import hashlib
from collections.abc import Callable
from typing import Final

import aiohttp
from cachetools import TTLCache
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from heliostat_core.egress import Egress, Network

_REMEMBERED: Final = 4096
_ASK_SECONDS: Final = 5


class Caller(BaseModel):
    """One attempt of a run, as the gateway answers."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )

    execution: str
    attempt: int
    agent: str
    correlation_id: str = ""
    egress: tuple[Egress, ...] = ()
    refused: tuple[Network, ...] = ()


class KeyIsNoGoodError(Exception):
    """The gateway refused the key; the text is its own."""


class GatewayAwayError(Exception):
    """Nobody could say whether the key is good."""


class Callers:
    """Asks the gateway, and remembers for a short while what was good."""

    def __init__(self, url: str, seconds: float, clock: Callable[[], float]) -> None:
        self._url = f"{url}/v1/heliostat/egress"
        # By digest, so that a dump of this memory holds no key.
        self._known: TTLCache[bytes, Caller] = TTLCache(_REMEMBERED, seconds, timer=clock)
        self._session: aiohttp.ClientSession | None = None

    async def find(self, key: str) -> Caller:
        """Raises KeyIsNoGoodError, GatewayAwayError."""
        digest = hashlib.sha256(key.encode()).digest()
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = await self._ask(key)
        return known

    async def close(self) -> None:
        """Ends the connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, key: str) -> Caller:
        try:
            async with self._opened().get(
                self._url, headers={"Authorization": f"Bearer {key}"}
            ) as answer:
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise GatewayAwayError(f"the gateway does not answer: {error!r}") from error
        if status in (401, 403):
            raise KeyIsNoGoodError("the key is not good, or opens nothing outside")
        if status != 200:
            raise GatewayAwayError(f"the gateway answered {status}")
        try:
            return Caller.model_validate_json(body)
        except ValidationError as error:
            raise GatewayAwayError("the gateway's answer can't be read") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_ASK_SECONDS),
                trust_env=False,
                max_field_size=32 * 1024,
            )
        return self._session
