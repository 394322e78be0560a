"""The provider `anthropic`, or anything that speaks its API."""

from typing import ClassVar

from heliostat_gateway.headers import Headers
from heliostat_gateway.providers import ProviderCall
from heliostat_gateway.providers.http import MessagesProvider


class AnthropicProvider(MessagesProvider):
    """Anthropic's own API."""

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
