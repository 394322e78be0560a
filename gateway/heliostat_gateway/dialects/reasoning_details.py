"""OpenRouter's `reasoning_details`: the thinking of whatever model answered, to be sent back as is.

A Messages caller gets them as the signature of a thinking block, `openrouter|JSON`.
"""

import json
from collections.abc import Iterable
from typing import Final

from pydantic import JsonValue

from heliostat_gateway.dialects.signatures import OPENROUTER_MARK
from heliostat_json.objects import JsonObject, list_at, text_at

_GROWING: Final = {"reasoning.text": "text", "reasoning.summary": "summary"}


class ReasoningDetails:
    """Gathers the details of one answer. Those of a stream come in fragments of one index."""

    def __init__(self) -> None:
        self._gathered: list[JsonObject] = []

    def add(self, details: Iterable[JsonObject]) -> None:
        """The details of one chunk; of one chunk none belongs to another."""
        before = list(self._gathered)
        for detail in details:
            begun = _begun(before, detail)
            if begun is None:
                self._gathered.append(dict(detail))
            else:
                _grow(begun, detail)

    def take(self) -> str:
        """The signature that carries what was gathered since the last one; empty for nothing."""
        taken, self._gathered = self._gathered, []
        return OPENROUTER_MARK + json.dumps(taken, sort_keys=True) if taken else ""


def shown_text(details: Iterable[JsonObject]) -> str:
    """What of the details people may read."""
    return "".join(text_at(each, "text") or text_at(each, "summary") for each in details)


def read_details(block: JsonObject) -> list[JsonValue]:
    """The details that a thinking block carries; none of another provider's."""
    text = text_at(block, "signature")
    if not text.startswith(OPENROUTER_MARK):
        return []
    try:
        found = json.loads(text.removeprefix(OPENROUTER_MARK))
    except (ValueError, RecursionError):
        return []
    return list_at({"details": found}, "details")


def is_detailed_thinking(block: JsonObject) -> bool:
    """Whether a thinking block carries details of OpenRouter."""
    return bool(read_details(block))


def _begun(before: list[JsonObject], detail: JsonObject) -> JsonObject | None:
    if detail.get("type") not in _GROWING:
        return None
    key = (detail.get("type"), detail.get("index"))
    last = (each for each in reversed(before) if (each.get("type"), each.get("index")) == key)
    return next(last, None)


def _grow(begun: JsonObject, more: JsonObject) -> None:
    name = _GROWING[text_at(begun, "type")]
    text = text_at(begun, name) + text_at(more, name)
    begun |= {key: value for key, value in more.items() if value is not None}
    begun[name] = text
