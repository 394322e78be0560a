"""Public keys of those who vouch for persons: fetched when needed, kept, and renewed."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Final, TypeAlias

import httpx2
import jwt
from pydantic import JsonValue, TypeAdapter, ValidationError

from heliostat_api.base.errors import ProviderAwayError

RENEWAL_SECONDS: Final = 3600.0
PAUSE_SECONDS: Final = 10.0
"""An unknown key's id makes us ask again at most so often: anybody can invent one."""
_TIMEOUT_SECONDS: Final = 10.0
_OBJECT: Final = TypeAdapter(dict[str, JsonValue])

JsonMap: TypeAlias = Mapping[str, JsonValue]
Fetch: TypeAlias = Callable[[str], Awaitable[JsonMap]]


@cache
def tls() -> ssl.SSLContext:
    """Of every connection: reading the authorities' certificates takes long."""
    return httpx2.create_ssl_context()


async def fetch_json(url: str) -> JsonMap:
    """A JSON object. Raises ProviderAwayError."""
    try:
        async with httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS, verify=tls()) as client:
            response = await client.get(url)
            response.raise_for_status()
            return _OBJECT.validate_json(response.content)
    except (httpx2.HTTPError, ValidationError) as error:
        raise ProviderAwayError(f"{url} gave no answer that helps: {error}") from error


class KeySet:
    """The keys behind one address."""

    def __init__(self, url: str, clock: Callable[[], float], fetch: Fetch = fetch_json) -> None:
        self._url = url
        self._clock = clock
        self._fetch = fetch
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._asked: float | None = None
        self._away: str | None = None
        self._lock = asyncio.Lock()

    async def find(self, token: str) -> jwt.PyJWK | None:
        """The key that the token names; the only one where it names none. None: there is no such.

        Raises ProviderAwayError where the key may be new and can't be asked for. A known key goes
        on being believed while its owner is away.
        """
        name = _key_id(token)
        await self._renew(RENEWAL_SECONDS if self._choose(name) else PAUSE_SECONDS)
        found = self._choose(name)
        if found is None and self._away is not None:
            raise ProviderAwayError(self._away)
        return found

    def _choose(self, name: str | None) -> jwt.PyJWK | None:
        if name is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(name)

    async def _renew(self, seconds: float) -> None:
        """Asks again unless somebody did within so many seconds."""
        if self._is_younger_than(seconds):
            return
        async with self._lock:
            if self._is_younger_than(seconds):
                return  # somebody else did, while we waited
            try:
                self._keys, self._away = _read_keys(await self._fetch(self._url)), None
            except ProviderAwayError as error:
                self._away = str(error)
            self._asked = self._clock()

    def _is_younger_than(self, seconds: float) -> bool:
        return self._asked is not None and self._clock() - self._asked < seconds


def _key_id(token: str) -> str | None:
    try:
        name = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        return None
    return name if isinstance(name, str) else None


def _read_keys(document: JsonMap) -> Mapping[str, jwt.PyJWK]:
    """Raises ProviderAwayError."""
    try:
        keys = jwt.PyJWKSet.from_dict(dict(document)).keys
    except jwt.PyJWTError as error:
        raise ProviderAwayError(f"the keys can't be read: {error}") from error
    return {each.key_id or "": each for each in keys if each.public_key_use in (None, "sig")}
