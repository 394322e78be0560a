"""Providers: who answers a model call. Each takes bytes in its dialect and gives bytes back."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.headers import Headers
from heliostat_gateway.providers.credentials import NO_CREDENTIAL, Credential
from heliostat_json.objects import JsonObject

CONNECT_SECONDS = 10.0


class ProviderError(Exception):
    """A provider gave no answer, or an unfinished one; the text is safe to show.

    `sent` says whether the request may have reached the provider and so may cost money.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Operation(StrEnum):
    """What a provider is asked to do."""

    GENERATE = "generate"
    COUNT_TOKENS = "count_tokens"


@dataclass(frozen=True)
class ProviderCall:
    """A request in the provider's dialect, and where it goes."""

    path: str  # as the caller asked; it tells the caller's dialect and the operation
    query: str
    headers: Headers  # the caller's end-to-end headers without its credentials
    body: bytes
    request: JsonObject  # the body, parsed
    target: str  # model or scenario, in the provider's own words
    execution: str  # uid
    credential: Credential = NO_CREDENTIAL
    stream: bool = False  # for providers whose address says it (Gemini)
    connect_seconds: float = CONNECT_SECONDS  # first token, idle and total time are the engine's

    @property
    def source(self) -> Dialect:
        """The caller's dialect."""
        return Dialect.CHAT if self.path.endswith("/chat/completions") else Dialect.MESSAGES

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        counts = self.path.endswith("/count_tokens")
        return Operation.COUNT_TOKENS if counts else Operation.GENERATE


@dataclass(frozen=True)
class ProviderAnswer:
    """Status, end-to-end headers and body of an answer. Close `chunks` when leaving early."""

    status: int
    headers: Headers
    chunks: AsyncGenerator[bytes, None]  # raises ProviderError when the body ends unfinished
    request_id_header: str = "request-id"  # the provider's own; empty when it has none

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
        return self._header(self.request_id_header)

    def _header(self, wanted: str) -> str:
        return self._first.get(wanted, "")

    @cached_property
    def _first(self) -> dict[str, str]:
        """The first header of each name."""
        return dict(reversed(self.headers))


class Provider(Protocol):
    """One provider; the credential comes with each call."""

    name: str
    dialect: Dialect
    target_is_model: bool  # else a scenario, which plays the model that was asked for
    counts_tokens: bool  # whether it answers Operation.COUNT_TOKENS
    checks_signatures: bool  # whether it refuses thinking that it did not sign
    signature_mark: str  # stands before its signatures at callers; empty: they are Anthropic's
    takes_details: bool  # whether it wants the `reasoning_details` of its answers back

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """The provider's answer, whatever its status. Raises ProviderError when there is none."""
        ...

    async def close(self) -> None:
        """Ends its connections."""
        ...
