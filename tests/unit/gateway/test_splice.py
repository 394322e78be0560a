"""Edits of a body touch nothing but what they name."""

import json
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_gateway.calls.splice import members, prepend_item, set_member

Document: TypeAlias = dict[str, JsonValue]
texts = st.text(max_size=6)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=6,
)
documents = st.dictionaries(texts, values, max_size=3)


def written(document: Document, spaces: int, ascii_only: bool) -> bytes:
    """A document as somebody may write it."""
    indent = spaces or None
    return json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    )


@given(documents, texts, values, st.integers(0, 3), st.booleans())
def test_one_member_is_set_and_nothing_else_changes(
    document: Document, name: str, value: JsonValue, spaces: int, ascii_only: bool
) -> None:
    body = written(document, spaces, ascii_only)
    edited = set_member(body, name, value)
    assert json.loads(edited) == document | {name: value}
    if name in document:
        new = [edited[each.start : each.end] for each in members(edited) if each.name == name][-1]
        assert any(
            edited == body[: member.start] + new + body[member.end :] for member in members(body)
        )
    else:
        assert edited.endswith(body.split(b"{", 1)[1])


@given(documents, st.lists(values, max_size=3), values, st.integers(0, 3))
def test_an_item_is_put_first(
    document: Document, items: list[JsonValue], item: JsonValue, spaces: int
) -> None:
    body = written(document | {"messages": items}, spaces, ascii_only=False)
    assert json.loads(prepend_item(body, "messages", item)) == document | {
        "messages": [item, *items]
    }


def test_names_inside_values_and_strings_are_no_members() -> None:
    body = b'{"a":{"model":"x"},"b":"\\"model\\":1","model" : "claude" ,"c":["model",{"model":2}]}'
    assert set_member(body, "model", "other") == (
        b'{"a":{"model":"x"},"b":"\\"model\\":1","model" : "other" ,"c":["model",{"model":2}]}'
    )


def test_every_member_of_the_name_is_replaced() -> None:
    assert set_member(b'{"model":1, "model":2}', "model", 3) == b'{"model":3, "model":3}'


def test_an_escaped_name_is_the_same_name() -> None:
    assert set_member(b'{"mod\\u0065l":"a"}', "model", "b") == b'{"mod\\u0065l":"b"}'
