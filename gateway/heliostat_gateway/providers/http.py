"""Providers over HTTP: what they have in common, and those that are built in.

Bytes go through as they are; only address and credentials are ours.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol
from urllib.parse import quote

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.signatures import ZAI_MARK
from heliostat_gateway.headers import Headers
from heliostat_gateway.providers import Operation, ProviderAnswer, ProviderCall, ProviderError

# Answers must come uncompressed, because usage is read from the very bytes that pass by.
_PLAIN: Final = ("accept-encoding", "identity")
# Ours, or a credential of the caller: an OpenAI organisation or project is billed with a key.
_NEVER: Final = frozenset(
    {
        "accept-encoding",
        "api-key",
        "authorization",
        "content-length",
        "cookie",
        "host",
        "openai-organization",
        "openai-project",
        "x-api-key",
    }
)
# What proxies before the gateway tell of the owner's network, and the trace, which ends with us.
_OF_THE_WAY: Final = frozenset(
    {
        "b3",
        "baggage",
        "forwarded",
        "traceparent",
        "tracestate",
        "true-client-ip",
        "uber-trace-id",
        "via",
        "x-client-ip",
        "x-cloud-trace-context",
        "x-cluster-client-ip",
        "x-real-ip",
        "x-request-start",
    }
)
_OF_PROXIES: Final = ("cf-", "x-amzn-", "x-b3-", "x-envoy-", "x-forwarded-", "x-original-")
# Meant for one provider or dialect; a provider names in `takes` those that are for it.
_ADDRESSED: Final = ("anthropic-", "openai-", "x-claude-code-", "x-goog-", "x-heliostat-")
_OF_ANY_DIALECT: Final = frozenset({"user-agent"})
_JSON: Final = ("content-type", "application/json")


@dataclass(frozen=True)
class Outgoing:
    """A request as it goes over the wire."""

    provider: str
    url: str
    headers: Headers = field(repr=False)  # with the key
    body: bytes = field(repr=False)
    connect_seconds: float
    request_id_header: str


class Transport(Protocol):
    """The connections that all providers share."""

    async def post(self, outgoing: Outgoing) -> ProviderAnswer:
        """The answer, whatever its status. Raises ProviderError."""
        ...


class HttpProvider(ABC):
    """A provider over HTTP. A subclass says what it is, in class attributes and three methods."""

    name: str
    dialect: Dialect
    title: ClassVar[str]  # for people
    price_id: ClassVar[str] = ""  # its id in genai-prices; empty: no table of prices
    key_variable: ClassVar[str]
    needs_key: ClassVar[bool] = True
    default_base_url: ClassVar[str] = ""  # empty: an address must be given
    request_id_header: ClassVar[str] = ""
    takes: ClassVar[tuple[str, ...]] = ()  # prefixes of addressed headers that it gets
    counts_tokens = False
    checks_signatures = False
    signature_mark = ""
    takes_details = False
    target_is_model = True

    def __init__(self, base_url: str, transport: Transport, name: str = "") -> None:
        self.name = name or type(self).name
        self.base_url = base_url
        self._transport = transport

    async def send(self, call: ProviderCall) -> ProviderAnswer:
        """The provider's answer, whatever its status. Raises ProviderError when there is none."""
        if call.operation is Operation.COUNT_TOKENS and not self.counts_tokens:
            raise ProviderError(f"{self.name} does not count tokens.", sent=False)
        return await self._transport.post(
            Outgoing(
                provider=self.name,
                url=self.url(call),
                headers=self.headers(call),
                body=call.body,
                connect_seconds=call.connect_seconds,
                request_id_header=self.request_id_header,
            )
        )

    async def close(self) -> None:  # noqa: B027
        """Nothing: the connections are shared, and closed by who opened them."""

    @abstractmethod
    def url(self, call: ProviderCall) -> str:
        """The whole address of a call."""

    @abstractmethod
    def auth(self, call: ProviderCall) -> Headers:
        """The header with the credential."""

    def headers(self, call: ProviderCall) -> Headers:
        """The caller's headers that this provider gets, then ours.

        A request from another dialect was written anew: of the caller, only its name goes along.
        """
        if call.source is self.dialect:
            kept = [(name, value) for name, value in call.headers if self._gets(name)]
        else:
            kept = [(name, value) for name, value in call.headers if name in _OF_ANY_DIALECT]
            kept += [_JSON, *self.added(call)]
        return [*kept, _PLAIN, *self.auth(call)]

    def added(self, call: ProviderCall) -> Headers:  # noqa: ARG002
        """Headers that this provider needs with a request that came in another dialect."""
        return []

    def _gets(self, name: str) -> bool:
        if name in _NEVER or name in _OF_THE_WAY or name.startswith(_OF_PROXIES):
            return False
        return not name.startswith(_ADDRESSED) or name.startswith(self.takes)


class MessagesProvider(HttpProvider):
    """A provider that speaks Anthropic's Messages API under `/v1`."""

    dialect = Dialect.MESSAGES
    takes: ClassVar[tuple[str, ...]] = ("anthropic-",)
    counts_tokens = True

    def url(self, call: ProviderCall) -> str:
        """`BASE/v1/messages`, with the caller's query if it speaks this dialect too."""
        counts = call.operation is Operation.COUNT_TOKENS
        path = "/v1/messages/count_tokens" if counts else "/v1/messages"
        query = f"?{call.query}" if call.query and call.source is self.dialect else ""
        return f"{self.base_url}{path}{query}"

    def added(self, call: ProviderCall) -> Headers:  # noqa: ARG002
        """The version of the API that requests are written in."""
        return [("anthropic-version", "2023-06-01")]


class ChatProvider(HttpProvider):
    """A provider with OpenAI's chat completions; its base URL ends where OpenAI's `/v1` does."""

    dialect = Dialect.CHAT
    request_id_header: ClassVar[str] = "x-request-id"

    def url(self, call: ProviderCall) -> str:
        """`BASE/chat/completions`."""
        query = f"?{call.query}" if call.query and call.source is self.dialect else ""
        return f"{self.base_url}/chat/completions{query}"

    def auth(self, call: ProviderCall) -> Headers:
        """The key as a bearer token; nothing where there is no key."""
        return bearer(call)


def bearer(call: ProviderCall) -> Headers:
    """`Authorization: Bearer KEY`; nothing where there is no key."""
    secret = call.credential.secret.get_secret_value()
    return [("authorization", f"Bearer {secret}")] if secret else []


class AnthropicProvider(MessagesProvider):
    """Anthropic's own API, or anything that speaks it."""

    name = "anthropic"
    title = "Anthropic"
    price_id: ClassVar[str] = "anthropic"
    key_variable = "ANTHROPIC_API_KEY"
    checks_signatures = True
    default_base_url = "https://api.anthropic.com"
    request_id_header: ClassVar[str] = "request-id"
    takes: ClassVar[tuple[str, ...]] = ("anthropic-", "x-claude-code-")

    def auth(self, call: ProviderCall) -> Headers:
        """`x-api-key`."""
        return [("x-api-key", call.credential.secret.get_secret_value())]


class OpenaiProvider(ChatProvider):
    """OpenAI's own API."""

    name = "openai"
    title = "OpenAI"
    price_id: ClassVar[str] = "openai"
    key_variable = "OPENAI_API_KEY"
    default_base_url = "https://api.openai.com/v1"
    takes: ClassVar[tuple[str, ...]] = ("openai-",)


class GeminiProvider(HttpProvider):
    """Google's native API, where the address says model and stream."""

    name = "gemini"
    title = "Google Gemini"
    dialect = Dialect.GEMINI
    price_id: ClassVar[str] = "google"
    key_variable = "GEMINI_API_KEY"
    default_base_url = "https://generativelanguage.googleapis.com"
    counts_tokens = True

    def url(self, call: ProviderCall) -> str:
        """`BASE/v1beta/models/MODEL:METHOD`; a stream comes as server-sent events."""
        model = f"{self.base_url}/v1beta/models/{quote(call.target, safe='')}"
        if call.operation is Operation.COUNT_TOKENS:
            return f"{model}:countTokens"
        return (
            f"{model}:streamGenerateContent?alt=sse" if call.stream else f"{model}:generateContent"
        )

    def auth(self, call: ProviderCall) -> Headers:
        """`x-goog-api-key`."""
        return [("x-goog-api-key", call.credential.secret.get_secret_value())]


class ZaiProvider(MessagesProvider):
    """GLM models at Z.AI's native Anthropic endpoint, so without translation."""

    name = "zai"
    title = "Z.AI"
    price_id: ClassVar[str] = "zai"
    key_variable = "ZAI_API_KEY"
    default_base_url = "https://api.z.ai/api/anthropic"
    request_id_header: ClassVar[str] = "x-request-id"
    signature_mark = ZAI_MARK
    counts_tokens = False  # not documented there

    def auth(self, call: ProviderCall) -> Headers:
        """As Claude Code sends it: a bearer token."""
        return bearer(call)


class OpenrouterProvider(ChatProvider):
    """Many vendors behind one key; its model names are `VENDOR/MODEL`."""

    name = "openrouter"
    title = "OpenRouter"
    price_id: ClassVar[str] = "openrouter"
    key_variable = "OPENROUTER_API_KEY"
    default_base_url = "https://openrouter.ai/api/v1"
    takes_details = True
    request_id_header: ClassVar[str] = "x-generation-id"


class CompatibleProvider(ChatProvider):
    """Any OpenAI-compatible server (LM Studio, Ollama, vLLM); routes.yaml may name more of them."""

    name = "compatible"
    title = "any OpenAI-compatible server"
    key_variable = "COMPATIBLE_API_KEY"
    needs_key: ClassVar[bool] = False
