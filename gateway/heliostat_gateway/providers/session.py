"""The one HTTP session of all providers, and what its failures mean for money.

The HTTP client is imported with the first use: that takes a fifth of the gateway's start.
"""

from collections.abc import AsyncGenerator
from functools import lru_cache
from typing import TYPE_CHECKING

from heliostat_gateway.headers import end_to_end
from heliostat_gateway.providers import ProviderAnswer, ProviderError
from heliostat_gateway.providers.http import Outgoing

if TYPE_CHECKING:
    import aiohttp


class SharedSession:
    """Connections to providers: pooled, no cookies, no redirects, bodies as they come."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def load(self) -> None:
        """Imports the client now, so that the first call need not wait for it."""
        _not_sent()

    async def post(self, outgoing: Outgoing) -> ProviderAnswer:
        """The answer, whatever its status. Raises ProviderError."""
        import aiohttp
        import yarl

        try:
            response = await self._opened().post(
                yarl.URL(outgoing.url, encoded=True),
                data=outgoing.body,
                headers=outgoing.headers,
                allow_redirects=False,
                timeout=_timeout(outgoing.connect_seconds),
            )
        except _not_sent() as error:
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

    def _opened(self) -> "aiohttp.ClientSession":
        # Opened by the first call: a session belongs to the event loop that it is made in.
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=0),
                skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
            )
        return self._session


async def _chunks(provider: str, response: "aiohttp.ClientResponse") -> AsyncGenerator[bytes, None]:
    """The body as it comes. Closing it early cuts the connection, which cancels the call."""
    import aiohttp

    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        words = f"{provider} broke off its answer: {_words(error)}"
        raise ProviderError(words, sent=True) from error
    finally:
        response.close()


@lru_cache(maxsize=1)
def _not_sent() -> tuple[type[Exception], ...]:
    """Failures before a byte of the request went out: refused, no such name, TLS, no connection
    in time."""
    import aiohttp

    return aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL


@lru_cache(maxsize=16)
def _timeout(connect_seconds: float) -> "aiohttp.ClientTimeout":
    """A deadline for the connection only: the reader of an answer has its own for the rest."""
    import aiohttp

    return aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
