"""The gateway's user keys open the api, too: one key for both."""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from cachetools import TTLCache

from heliostat_api.gateway.client import Gateway
from heliostat_api.gateway.documents import Key

API_SCOPE: Final = "api"
_PREFIX: Final = "hsk_"
_KEPT_SECONDS: Final = 3.0
"""A key that was revoked elsewhere opens nothing after so long, and the gateway's own second."""
_MOST_KEPT: Final = 4096


class GatewayKeys:
    """Asks the gateway, and keeps its answer for a moment. Implements people.api_keys.ApiKeys."""

    def __init__(self, gateway: Gateway, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._gateway = gateway
        self._kept: TTLCache[bytes, Key | None] = TTLCache(_MOST_KEPT, _KEPT_SECONDS, monotonic)
        """Holds answers by digest: a dump of this memory shows no key."""

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
        for digest in list(self._kept):
            key = self._kept.get(digest)
            if key is not None and key.id == key_id:
                self._kept.pop(digest, None)

    async def _checked(self, bearer: str) -> Key | None:
        digest = hashlib.sha256(bearer.encode()).digest()
        with suppress(KeyError):
            return self._kept[digest]
        found = await self._gateway.check_key(bearer)
        self._kept[digest] = found
        return found
