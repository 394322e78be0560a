"""The provider `zai`: GLM models at Z.AI's native Anthropic endpoint, so without translation."""

from typing import ClassVar

from heliostat_gateway.headers import Headers
from heliostat_gateway.providers import ProviderCall
from heliostat_gateway.providers.http import MessagesProvider, bearer


class ZaiProvider(MessagesProvider):
    """Z.AI."""

    name = "zai"
    title = "Z.AI"
    price_id: ClassVar[str] = "zai"
    key_variable = "ZAI_API_KEY"
    default_base_url = "https://api.z.ai/api/anthropic"
    request_id_header: ClassVar[str] = "x-request-id"
    counts_tokens = False  # not documented there

    def auth(self, call: ProviderCall) -> Headers:
        """As Claude Code sends it: a bearer token."""
        return bearer(call)
