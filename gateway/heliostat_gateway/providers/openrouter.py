"""The provider `openrouter`: many vendors behind one key; its model names are `VENDOR/MODEL`."""

from typing import ClassVar

from heliostat_gateway.providers.http import ChatProvider


class OpenrouterProvider(ChatProvider):
    """OpenRouter."""

    name = "openrouter"
    title = "OpenRouter"
    price_id: ClassVar[str] = "openrouter"
    key_variable = "OPENROUTER_API_KEY"
    default_base_url = "https://openrouter.ai/api/v1"
    takes_details = True
    request_id_header: ClassVar[str] = "x-generation-id"
