"""The gateway's user keys open the api, too: one key for both."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from heliostat_api.gateway.client import Gateway
from heliostat_api.gateway.documents import Key

API_SCOPE: Final = "api"
_PREFIX: Final = "hsk_"
_KEPT_SECONDS: Final = 3.0
"""A key that was revoked elsewhere opens nothing after so long, and the gateway's own second."""
_MOST_KEPT: Final = 4096


@dataclass
class _Kept:
    key: Key | None
    until: float


@dataclass(frozen=True)
class GatewayKeys:
    """Asks the gateway, and keeps its answer for a moment. Implements people.api_keys.ApiKeys."""

    gateway: Gateway
    monotonic: Callable[[], float] = time.monotonic
    _kept: dict[bytes, _Kept] = field(default_factory=dict)
    """By digest: a dump of this memory holds no key."""

    async def find(self, bearer: str) -> str | None:
        """See ApiKeys. Raises GatewayAwayError."""
        if not bearer.startswith(_PREFIX):
            return None
        key = await self._checked(bearer)
        if key is None or key.kind != "user" or API_SCOPE not in key.scopes:
            return None
        return key.user

    def forget(self, key_id: str) -> None:
        """It was revoked here."""
        gone = [each for each, kept in self._kept.items() if kept.key and kept.key.id == key_id]
        for digest in gone:
            del self._kept[digest]

    async def _checked(self, bearer: str) -> Key | None:
        digest = hashlib.sha256(bearer.encode()).digest()
        kept, now = self._kept.get(digest), self.monotonic()
        if kept is not None and now < kept.until:
            return kept.key
        found = await self.gateway.check_key(bearer)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[digest] = _Kept(found, now + _KEPT_SECONDS)
        return found
