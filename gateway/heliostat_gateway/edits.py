"""The edits that a route may make in a request (docs/gateway.md, Pass-through). Pure.

One list of edits, applied to the caller's bytes where the dialect stays, and to the parsed request
where it is translated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.splice import prepend_item, set_member
from heliostat_gateway.wire import JsonObject, object_at


@dataclass(frozen=True)
class SetMember:
    """The member `name` of the request gets this value."""

    name: str
    value: JsonValue


@dataclass(frozen=True)
class PrependItem:
    """The list in member `name` gets this first item."""

    name: str
    item: JsonValue


Edit: TypeAlias = SetMember | PrependItem
_LIMITS: Final = {
    Dialect.MESSAGES: ("max_tokens",),
    Dialect.CHAT: ("max_completion_tokens", "max_tokens"),
}


def name_model(document: JsonObject, model: str) -> list[Edit]:
    """The provider's own name of the model."""
    return [] if document.get("model") == model else [SetMember("model", model)]


def set_defaults(document: JsonObject, defaults: JsonObject) -> list[Edit]:
    """A persona's defaults, where the caller says nothing."""
    return [SetMember(name, value) for name, value in defaults.items() if name not in document]


def put_system_first(document: JsonObject, dialect: Dialect, text: str) -> list[Edit]:
    """A persona's system text before the caller's own."""
    if not text:
        return []
    if dialect is Dialect.CHAT:
        return [PrependItem("messages", {"role": "system", "content": text})]
    system = document.get("system")
    if isinstance(system, list):
        return [PrependItem("system", {"type": "text", "text": text})]
    own = f"\n\n{system}" if isinstance(system, str) and system else ""
    return [SetMember("system", text + own)]


def lower_output(document: JsonObject, dialect: Dialect, most: int | None) -> list[Edit]:
    """At most this many output tokens, for a strict cap; None is no cap."""
    if most is None:
        return []
    names = _LIMITS[dialect]
    present = [name for name in names if isinstance(document.get(name), int)]
    edits: list[Edit] = []
    for name in present or names[:1]:
        asked = document.get(name)
        if not isinstance(asked, int) or asked > most:
            edits.append(SetMember(name, most))
    return edits


def ask_for_usage(document: JsonObject) -> list[Edit]:
    """A chat stream tells its usage only when it is asked to."""
    options = object_at(document, "stream_options")
    if document.get("stream") is not True or options.get("include_usage") is True:
        return []
    return [SetMember("stream_options", {**options, "include_usage": True})]


def edit_bytes(body: bytes, edits: Sequence[Edit]) -> bytes:
    """`body` with the edits spliced in; every other byte stays."""
    for edit in edits:
        match edit:
            case SetMember(name, value):
                body = set_member(body, name, value)
            case PrependItem(name, item):
                body = prepend_item(body, name, item)
    return body


def edit_document(document: JsonObject, edits: Sequence[Edit]) -> JsonObject:
    """A copy of the request with the edits made."""
    edited = dict(document)
    for edit in edits:
        match edit:
            case SetMember(name, value):
                edited[name] = value
            case PrependItem(name, item):
                items = edited.get(name)
                edited[name] = [item, *items] if isinstance(items, list) else [item]
    return edited
