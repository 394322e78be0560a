"""The provider `openai`."""

from typing import ClassVar

from heliostat_gateway.providers.http import ChatProvider


class OpenaiProvider(ChatProvider):
    """OpenAI's own API."""

    name = "openai"
    title = "OpenAI"
    price_id: ClassVar[str] = "openai"
    key_variable = "OPENAI_API_KEY"
    default_base_url = "https://api.openai.com/v1"
    takes: ClassVar[tuple[str, ...]] = ("openai-",)
