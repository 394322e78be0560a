"""The operator's client of the api's ingest: whole actions that don't fit a result document."""

from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import quote

import aiohttp

from heliostat_core.executions import Execution

MOST_BYTES: Final = 65_536
_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=1)


class ActionsUnavailableError(Exception):
    """The api does not say whether it has the action."""


class ReadingKeys(Protocol):
    """Makes a key of an attempt that pays for nothing; see Signer.reading_key."""

    def reading_key(self, execution: Execution, attempt: int) -> str: ...


class ActionClient:
    """Reads what runs delivered, each with a key of that very run."""

    def __init__(self, url: str, keys: ReadingKeys) -> None:
        self._url = url
        self._keys = keys
        self._session: aiohttp.ClientSession | None = None

    async def read(self, execution: Execution, attempt: int, digest: str) -> bytes | None:
        """The canonical action of that digest, None where the run delivered none. Whether it is the
        one of its digest is for the caller to see. Raises ActionsUnavailableError."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        uid = quote(execution.metadata.uid)
        url = f"{self._url}/ingest/v1/executions/{uid}/attempts/{attempt}/actions/{quote(digest)}"
        headers = {"Authorization": f"Bearer {self._keys.reading_key(execution, attempt)}"}
        try:
            async with self._session.get(url, headers=headers) as response:
                if response.status == HTTPStatus.OK:
                    return await _read_at_most(response.content, MOST_BYTES)
                if response.status == HTTPStatus.NOT_FOUND:
                    return None
                raise ActionsUnavailableError(f"The api answered {response.status}.")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ActionsUnavailableError(f"The api did not answer: {error!r}") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _read_at_most(stream: aiohttp.StreamReader, most: int) -> bytes | None:
    """All of it, None if that is more."""
    content = bytearray()
    async for piece in stream.iter_any():
        content += piece
        if len(content) > most:
            return None
    return bytes(content)
