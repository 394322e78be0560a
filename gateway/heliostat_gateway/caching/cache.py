"""The exact cache's decisions: what may be answered from it, under which key, and what is kept.

Pure. A request is never a tool turn, an answer is whole and ended by itself; everything else goes
to the provider each time. Where answers are kept is in `answers.py` and `redis_state/cache.py`.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.sse import Event, EventReader, EventTooLongError
from heliostat_json.objects import JsonObject, list_at, object_at, parse_object, text_at

# A request with one of these asks for tools, or stands on state that is not in the request.
_TOOL_FIELDS: Final = (
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "mcp_servers",
    "container",
    "web_search_options",
)
_TOOL_ROLES: Final = frozenset({"tool", "function"})
_MESSAGES_ENDS: Final = frozenset({"end_turn", "stop_sequence"})
_CHAT_ENDS: Final = frozenset({"stop"})


@dataclass(frozen=True)
class CacheFlags:
    """What the route says about caching."""

    opted_in: bool
    masks: bool = False
    personal: bool = False


def is_cacheable(document: JsonObject, dialect: Dialect, flags: CacheFlags) -> bool:
    """Whether a request may be answered from the cache and its answer be kept."""
    if not flags.opted_in or flags.masks or flags.personal or dialect is Dialect.GEMINI:
        return False
    if any(document.get(name) for name in _TOOL_FIELDS):
        return False
    return not any(_has_tools(message) for message in list_at(document, "messages"))


def cache_key(caller: Caller, dialect: Dialect, *, stream: bool, body: bytes, versions: str) -> str:
    """SHA-256, in hex, over who asks, in which dialect and how, and the whole body.

    `versions` are headers that change the answer of the same body (anthropic-version and -beta).
    """
    # A user and an agent of the same name are two scopes.
    kind = "user" if caller.user else "agent" if caller.agent else "key"
    parts = (kind, caller.cache_scope, dialect.value, "stream" if stream else "whole", versions)
    digest = hashlib.sha256()
    for part in (*(each.encode() for each in parts), body):
        digest.update(len(part).to_bytes(8, "big"))  # so that no two lists of parts are one text
        digest.update(part)
    return digest.hexdigest()


class Recording:
    """An answer on its way to the caller, kept until it is known whether it may be stored."""

    def __init__(self, dialect: Dialect, *, stream: bool, largest: int) -> None:
        """`largest` is in bytes; a longer answer is let go at once."""
        self._dialect = dialect
        self._stream = stream
        self._left = largest
        self._chunks: list[bytes] | None = []

    def add(self, chunk: bytes) -> None:
        """Bytes as the caller gets them: whole events of a stream, without the gateway's pings."""
        self._left -= len(chunk)
        if self._left < 0:
            self._chunks = None
        elif self._chunks is not None:
            self._chunks.append(chunk)

    def whole(self) -> tuple[bytes, ...] | None:
        """The chunks, event by event for a stream; None for what must not be stored.

        That is: too long, an error, truncated by a limit, a call of a tool, or cut.
        """
        if self._chunks is None:
            return None
        if not self._stream:
            body = b"".join(self._chunks)
            return (body,) if _is_good_answer(body, self._dialect) else None
        reader = EventReader()
        try:
            events = [event for chunk in self._chunks for event in reader.feed(chunk)]
        except EventTooLongError:
            return None
        if reader.held.strip() or not _is_good_stream(events, self._dialect):
            return None
        return tuple(event.raw for event in events)


def _has_tools(message: JsonValue) -> bool:
    if not isinstance(message, dict):
        return False
    if text_at(message, "role") in _TOOL_ROLES:
        return True
    if message.get("tool_calls") or message.get("function_call"):
        return True
    return any(
        isinstance(block, dict) and "tool" in text_at(block, "type")
        for block in list_at(message, "content")
    )


def _is_good_answer(body: bytes, dialect: Dialect) -> bool:
    document = parse_object(body)
    if document is None:
        return False
    if dialect is Dialect.MESSAGES:
        return (
            text_at(document, "type") == "message"
            and text_at(document, "stop_reason") in _MESSAGES_ENDS
            and not _has_tools(document)
        )
    choices = list_at(document, "choices")
    return bool(choices) and all(_is_good_choice(choice) for choice in choices)


def _is_good_choice(choice: JsonValue) -> bool:
    if not isinstance(choice, dict):
        return False
    return text_at(choice, "finish_reason") in _CHAT_ENDS and not _has_tools(
        object_at(choice, "message")
    )


def _is_good_stream(events: list[Event], dialect: Dialect) -> bool:
    if any(event.name == "error" for event in events):
        return False
    if dialect is Dialect.MESSAGES:
        return _is_good_messages_stream(events)
    return _is_good_chat_stream(events)


def _is_good_messages_stream(events: list[Event]) -> bool:
    documents = [parse_object(event.data) or {} for event in events if event.data]
    kinds = [text_at(each, "type") for each in documents]
    if "error" in kinds or kinds[:1] != ["message_start"] or kinds[-1:] != ["message_stop"]:
        return False
    if any("tool" in text_at(object_at(each, "content_block"), "type") for each in documents):
        return False
    reasons = [text_at(object_at(each, "delta"), "stop_reason") for each in documents]
    given = [reason for reason in reasons if reason]
    return len(given) == 1 and given[0] in _MESSAGES_ENDS


def _is_good_chat_stream(events: list[Event]) -> bool:
    told = [event.data for event in events if event.data]
    if told[-1:] != [b"[DONE]"]:
        return False
    begun: set[int] = set()
    ended: set[int] = set()
    for data in told[:-1]:
        document = parse_object(data)
        if document is None or document.get("error"):
            return False
        for choice in list_at(document, "choices"):
            if not isinstance(choice, dict) or _has_tools(object_at(choice, "delta")):
                return False
            index = choice.get("index")
            number = index if isinstance(index, int) else 0
            begun.add(number)
            if choice.get("finish_reason"):
                if text_at(choice, "finish_reason") not in _CHAT_ENDS:
                    return False
                ended.add(number)
    return bool(begun) and begun == ended
