"""The dialects of model APIs that the gateway speaks."""

from enum import StrEnum


class Dialect(StrEnum):
    """How a request, an answer and an error are written."""

    MESSAGES = "messages"  # Anthropic
    CHAT = "chat"  # OpenAI chat completions
    GEMINI = "gemini"  # Google; spoken to providers only
