"""The provider `anthropic`, or anything that speaks its API: bytes through, only auth is ours."""

from collections.abc import AsyncGenerator
from typing import Final

import aiohttp
from pydantic import SecretStr
from yarl import URL

from heliostat_gateway.providers import ProviderAnswer, ProviderCall, ProviderError
from heliostat_gateway.wire import Headers, end_to_end

# Answers must come uncompressed, because usage is read from the very bytes that pass by.
_PLAIN: Final = ("accept-encoding", "identity")
_OURS: Final = frozenset({"host", "content-length", "accept-encoding"})
_CONNECT_SECONDS = 10
_SILENCE_SECONDS = 600  # what the official SDKs allow; Anthropic pings long before


class AnthropicProvider:
    """Passes requests to `base_url` with the gateway's own key."""

    name = "anthropic"

    def __init__(self, base_url: str, key: SecretStr) -> None:
        self._base_url = base_url
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """The provider's answer, whatever its status. Raises ProviderError when there is none."""
        query = f"?{call.query}" if call.query else ""
        headers = [(name, value) for name, value in call.headers if name not in _OURS]
        headers += [_PLAIN, ("x-api-key", self._key.get_secret_value())]
        try:
            response = await self._opened().post(
                URL(f"{self._base_url}{call.path}{query}", encoded=True),
                data=call.body,
                headers=headers,
                allow_redirects=False,
            )
        except aiohttp.ClientConnectorError as error:
            raise ProviderError(f"anthropic can't be reached: {error}", sent=False) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderError(f"anthropic gave no answer: {_words(error)}", sent=True) from error
        return ProviderAnswer(response.status, _headers(response), _chunks(response))

    async def close(self) -> None:
        """Ends the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=0),
                skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS
                ),
            )
        return self._session


def _headers(response: aiohttp.ClientResponse) -> Headers:
    return end_to_end(response.headers.items())


async def _chunks(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """The body as it comes. Closing it early cuts the connection, which cancels the call."""
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ProviderError(
            f"anthropic broke off its answer: {_words(error)}", sent=True
        ) from error
    finally:
        response.close()


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
