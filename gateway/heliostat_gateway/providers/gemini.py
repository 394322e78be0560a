"""The provider `gemini`: Google's native API, where the address says model and stream."""

from typing import ClassVar
from urllib.parse import quote

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.headers import Headers
from heliostat_gateway.providers import Operation, ProviderCall
from heliostat_gateway.providers.http import HttpProvider


class GeminiProvider(HttpProvider):
    """Google Gemini."""

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
