"""Requests and answers that make sense, with nonsense in some of their places."""

import copy
from collections.abc import Sequence
from functools import cache
from typing import Final

from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_json.objects import JsonObject, object_at
from support.golden import find_cases, read_object

WORDS: Final = ["", "x", "{}", "[1]", "tool_use", "http://[", "data:,", "gemini|call|x|y", "\ud800"]
LEAVES = st.none() | st.booleans() | st.integers(-1, 3) | st.floats(0, 1) | st.sampled_from(WORDS)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@cache
def inputs(kind: str, source: Dialect, name: str = "") -> tuple[JsonObject, ...]:
    """The inputs of golden cases, or one field of each: what makes sense, before it is spoiled."""
    found = (read_object(path) for path in find_cases(kind, source))
    return tuple(object_at(each, name) if name else each for each in found)


@cache
def streams(source: Dialect) -> tuple[str, ...]:
    return tuple(path.read_text() for path in find_cases("streams", source, ".sse"))


@st.composite
def spoiled(draw: st.DrawFn, documents: Sequence[JsonObject]) -> JsonObject:
    """One of the documents, with up to three values in it replaced by nonsense."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(0, 3))):
        spoil(draw, document)
    return document


def spoil(draw: st.DrawFn, value: JsonValue) -> None:
    """Walks down by chance and replaces what it finds there."""
    while isinstance(value, dict | list) and value:
        key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        inner = value[key]  # type: ignore[index, call-overload]
        if not (isinstance(inner, dict | list) and inner) or draw(st.integers(0, 3)) == 0:
            value[key] = draw(VALUES)  # type: ignore[index, call-overload]
            return
        value = inner
