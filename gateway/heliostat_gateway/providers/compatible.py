"""The provider `compatible`: any OpenAI-compatible server (LM Studio, Ollama, vLLM)."""

from typing import ClassVar

from heliostat_gateway.providers.http import ChatProvider


class CompatibleProvider(ChatProvider):
    """A server of one's own; routes.yaml may name more of them."""

    name = "compatible"
    title = "any OpenAI-compatible server"
    key_variable = "COMPATIBLE_API_KEY"
    needs_key: ClassVar[bool] = False
