"""Signatures of thoughts, and whose they are.

A thought's signature means something only to the provider that made it. Gemini's are carried in
thinking blocks as `gemini|KIND|ID|SIGNATURE`, so that they find back to their part (KIND is
`call`, with the call's id, `text` or `thought`) and are never shown to another provider.
OpenRouter's are `openrouter|DETAILS`. A provider that speaks Messages and signs otherwise than
Anthropic has a mark of its own, which is put before its signatures: `zai|SIGNATURE`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from heliostat_json.objects import JsonObject, text_at

_MARK: Final = "gemini|"
OPENROUTER_MARK: Final = "openrouter|"
ZAI_MARK: Final = "zai|"


class SignedPart(StrEnum):
    """The kind of Gemini part that a signature was on."""

    CALL = "call"
    TEXT = "text"
    THOUGHT = "thought"


@dataclass(frozen=True)
class ThoughtSignature:
    """A signature of Gemini and the part that it belongs to."""

    part: SignedPart
    signature: str
    call: str = ""  # id of the call, when the part is one

    def __str__(self) -> str:
        return f"{_MARK}{self.part}|{self.call}|{self.signature}"


def read_signature(block: JsonObject) -> ThoughtSignature | None:
    """Gemini's signature in a thinking block; None when another provider, or nobody, signed."""
    text = text_at(block, "signature")
    if not text.startswith(_MARK):
        return None
    part, _, rest = text.removeprefix(_MARK).partition("|")
    call, found, signature = rest.rpartition("|")  # base64 has no bar; an id might
    if not found or part not in set(SignedPart) or not signature:
        return None
    return ThoughtSignature(SignedPart(part), signature, call)


def is_gemini_thinking(block: JsonObject) -> bool:
    """Whether Gemini signed this thinking block."""
    return read_signature(block) is not None


def is_anthropic_thinking(block: JsonObject) -> bool:
    """Whether Anthropic takes this thinking block: redacted, or signed by one of its models."""
    if block.get("type") == "redacted_thinking":
        return True
    signature = text_at(block, "signature")
    return bool(signature) and not signature.startswith((_MARK, OPENROUTER_MARK, ZAI_MARK))
