"""The one HTTP session of all providers, and what its failures mean for money."""

from collections.abc import AsyncGenerator
from functools import lru_cache
from typing import Final

import aiohttp
from yarl import URL

from heliostat_gateway.headers import end_to_end
from heliostat_gateway.providers import ProviderAnswer, ProviderError
from heliostat_gateway.providers.http import Outgoing

# Failed before a byte of the request went out: refused, no such name, TLS, no connection in time.
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


class SharedSession:
    """Connections to providers: pooled, no cookies, no redirects, bodies as they come."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def post(self, outgoing: Outgoing) -> ProviderAnswer:
        """The answer, whatever its status. Raises ProviderError."""
        try:
            response = await self._opened().post(
                URL(outgoing.url, encoded=True),
                data=outgoing.body,
                headers=outgoing.headers,
                allow_redirects=False,
                timeout=_timeout(outgoing.connect_seconds),
            )
        except _NOT_SENT as error:
            words = f"{outgoing.provider} can't be reached: {_words(error)}"
            raise ProviderError(words, sent=False) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = f"{outgoing.provider} gave no answer: {_words(error)}"
            raise ProviderError(words, sent=True) from error
        return ProviderAnswer(
            response.status,
            end_to_end(response.headers.items()),
            _chunks(outgoing.provider, response),
            outgoing.request_id_header,
        )

    async def close(self) -> None:
        """Ends the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        # Opened by the first call: a session belongs to the event loop that it is made in.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=0),
                skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
            )
        return self._session


async def _chunks(provider: str, response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """The body as it comes. Closing it early cuts the connection, which cancels the call."""
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        words = f"{provider} broke off its answer: {_words(error)}"
        raise ProviderError(words, sent=True) from error
    finally:
        response.close()


@lru_cache(maxsize=16)
def _timeout(connect_seconds: float) -> aiohttp.ClientTimeout:
    """Of the connection only: how long an answer may take is said by who waits for it."""
    return aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
