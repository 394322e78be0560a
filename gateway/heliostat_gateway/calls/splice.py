"""Edits of a JSON object that leave every other byte as it came."""

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import orjson
from pydantic import JsonValue

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_OPENING = (b"{", b"[")
_CLOSING = (b"}", b"]")


@dataclass(frozen=True)
class Member:
    """One member of an object: its name and where its value stands."""

    name: str
    start: int
    end: int


def set_member(body: bytes, name: str, value: JsonValue) -> bytes:
    """`body`, a JSON object, with `name` set to `value`: replaced in place, else put first.

    Of several members with the same name every one is replaced, for parsers differ in which counts.
    """
    written = orjson.dumps(value)
    found = [member for member in members(body) if member.name == name]
    if not found:
        return _put_first(body, orjson.dumps(name) + b":" + written)
    for member in reversed(found):
        body = body[: member.start] + written + body[member.end :]
    return body


def prepend_item(body: bytes, name: str, item: JsonValue) -> bytes:
    """`body` with `item` put first into the list in member `name`, which must be a list."""
    written = orjson.dumps(item)
    for member in reversed([member for member in members(body) if member.name == name]):
        inner = body[member.start : member.end]
        joined = _put_first(inner, written)
        body = body[: member.start] + joined + body[member.end :]
    return body


def drop_items(body: bytes, places: Collection[int]) -> bytes:
    """`body`, a JSON list, without the items at `places`; those that stay keep their bytes."""
    for place in sorted(places, reverse=True):
        spans = list(items(body))
        start, end = spans[place]
        if place + 1 < len(spans):
            end = spans[place + 1][0]
        elif place:
            start = spans[place - 1][1]
        body = body[:start] + body[end:]
    return body


def change_item(body: bytes, place: int, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """`body`, a JSON list, with the member `name` of the object at `place` changed."""
    start, end = list(items(body))[place]
    return body[:start] + change_member(body[start:end], name, change) + body[end:]


def change_member(body: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """`body`, a JSON object, with the value of `name` changed; the last one counts."""
    found = [member for member in members(body) if member.name == name]
    if not found:
        return body
    member = found[-1]
    return body[: member.start] + change(body[member.start : member.end]) + body[member.end :]


def items(body: bytes) -> Iterator[tuple[int, int]]:
    """Where each item of the JSON list in `body` stands; it must be well-formed."""
    depth = 0
    start = end = -1
    for token in _TOKEN.finditer(body):
        text = token.group()
        if depth == 1 and text in (b",", b"]"):
            if start >= 0:
                yield start, end
            start = -1
        elif depth:
            start = token.start() if start < 0 else start
            end = token.end()
        depth += (text in _OPENING) - (text in _CLOSING)


def members(body: bytes) -> Iterator[Member]:
    """The top-level members of the JSON object in `body`, which must be well-formed."""
    depth = 0
    name: str | None = None
    start = end = -1
    is_value = False
    for token in _TOKEN.finditer(body):
        text = token.group()
        if depth == 1 and text in (b",", b"}") and name is not None:
            yield Member(name, start, end)
            name, is_value, start = None, False, -1
        elif depth == 1 and text == b":" and not is_value:
            is_value = True
            continue
        elif depth == 1 and not is_value and text.startswith(b'"'):
            name = json.loads(text)  # tolerates lone surrogates, which are legal in JSON
        if is_value:
            start = token.start() if start < 0 else start
            end = token.end()
        depth += (text in _OPENING) - (text in _CLOSING)


def _put_first(container: bytes, written: bytes) -> bytes:
    """`container`, an object or a list, with `written` as its first element."""
    opening = re.search(rb"[{\[]", container)
    at = opening.end() if opening else 0
    is_empty = container[at:].lstrip()[:1] in _CLOSING
    return container[:at] + written + (b"" if is_empty else b",") + container[at:]
