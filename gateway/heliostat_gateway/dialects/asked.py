"""What a translation of an answer needs to know of the caller's request."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import blocks_of, objects
from heliostat_json.objects import JsonObject, list_at, object_at, text_at


@dataclass(frozen=True)
class Asked:
    """The caller's request, as far as its answer depends on it."""

    model: str  # as the caller named it
    turn: int  # messages so far
    calls: frozenset[str]  # ids of the tool calls so far
    one_call: bool  # at most one tool call in the answer
    wants_usage: bool  # a chat stream: its usage in a chunk of its own

    def call_id(self, position: int, name: str, taken: set[str]) -> str:
        """An id for a call that came without one: the same for the same answer.

        It is new in the conversation, and at most 40 characters long, as OpenAI wants it.
        """
        digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:8]
        found = f"call_{self.turn}_{position}_{digest}"
        again = 1
        while found in self.calls or found in taken:
            found = f"call_{self.turn}_{position}_{digest}_{again}"
            again += 1
        return found


def read_asked(document: JsonObject, dialect: Dialect) -> Asked:
    """Reads a request in the caller's `dialect`, MESSAGES or CHAT."""
    chat = dialect is Dialect.CHAT
    one = (
        document.get("parallel_tool_calls") is False
        if chat
        else object_at(document, "tool_choice").get("disable_parallel_tool_use") is True
    )
    return Asked(
        model=text_at(document, "model"),
        turn=len(list_at(document, "messages")),
        calls=frozenset(_calls(document)),
        one_call=one,
        wants_usage=object_at(document, "stream_options").get("include_usage") is True,
    )


def _calls(document: JsonObject) -> Iterator[str]:
    for message in objects(list_at(document, "messages")):
        for call in objects(list_at(message, "tool_calls")):
            yield text_at(call, "id")
        for block in blocks_of(message.get("content")):
            if block.get("type") == "tool_use":
                yield text_at(block, "id")
