"""Providers: who answers a model call. Each takes the caller's bytes and gives bytes back."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from heliostat_gateway.wire import Headers, JsonObject


class ProviderError(Exception):
    """A provider gave no answer, or an unfinished one; the text is safe to show.

    `sent` says whether the request may have reached the provider and so may cost money.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True)
class ProviderCall:
    """A request as the caller sent it, and where it goes."""

    path: str
    query: str
    headers: Headers  # end-to-end headers without the caller's credentials
    body: bytes
    request: JsonObject  # the body, parsed
    target: str  # model or scenario, in the provider's own words
    execution: str  # uid


@dataclass(frozen=True)
class ProviderAnswer:
    """Status, end-to-end headers and body of an answer. Close `chunks` when leaving early."""

    status: int
    headers: Headers
    chunks: AsyncGenerator[bytes, None]  # raises ProviderError when the body ends unfinished

    @property
    def content_type(self) -> str:
        """The media type, lower case, without parameters."""
        return self._header("content-type").partition(";")[0].strip().lower()

    @property
    def is_compressed(self) -> bool:
        """Whether the body is in a form in which no usage can be read."""
        return self._header("content-encoding").strip().lower() not in ("", "identity")

    @property
    def request_id(self) -> str:
        """The provider's own id of the request; empty when it names none."""
        return self._header("request-id")

    def _header(self, wanted: str) -> str:
        return next((value for name, value in self.headers if name == wanted), "")


class Provider(Protocol):
    """One provider with its credential."""

    name: str

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """The provider's answer, whatever its status. Raises ProviderError when there is none."""
        ...

    async def close(self) -> None:
        """Ends its connections."""
        ...
