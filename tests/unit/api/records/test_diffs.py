"""Differences between two states, field by field."""

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_api.agents.edits import merge
from heliostat_api.records.contents import Content
from heliostat_api.records.diffs import changes_between, changes_of

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
DOCUMENTS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        LEAVES | st.lists(LEAVES, max_size=2),
        lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)


def lines(before: dict[str, JsonValue], after: dict[str, JsonValue]) -> list[tuple[object, ...]]:
    found = changes_between(before, after, "spec")
    return [(each.field, each.before, each.after) for each in found]


def test_objects_differ_by_field_and_lists_as_a_whole() -> None:
    before: dict[str, JsonValue] = {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": "x"}
    after: dict[str, JsonValue] = {"a": {"b": 1, "c": 3}, "d": [2, 1], "f": None}
    assert lines(before, after) == [
        ("spec.a.c", 2, 3),
        ("spec.d", [1, 2], [2, 1]),
        ("spec.e", "x", None),
    ]


def test_a_new_agent_differs_from_nothing_in_all_that_it_says() -> None:
    content = Content(name="Sales", spec={"limits": {"maxTurns": 3}})
    assert [(each.field, each.after) for each in changes_of(None, content)] == [
        ("description", ""),
        ("name", "Sales"),
        ("spec.limits.maxTurns", 3),
    ]


@settings(deadline=None)  # the first example imports
@given(DOCUMENTS)
def test_nothing_differs_from_itself(document: dict[str, JsonValue]) -> None:
    assert lines(document, document) == []


@given(DOCUMENTS, DOCUMENTS)
def test_both_ways_name_the_same_fields(
    one: dict[str, JsonValue], other: dict[str, JsonValue]
) -> None:
    assert [(a, c, b) for a, b, c in lines(one, other)] == lines(other, one)


def test_a_merge_patch_is_as_rfc_7396_has_it() -> None:
    before: JsonValue = {"a": "b", "c": {"d": "e", "f": "g"}, "l": [1]}
    patch: JsonValue = {"a": "z", "c": {"f": None}, "l": [{"x": None}], "n": {"o": None}}
    assert merge(before, patch) == {"a": "z", "c": {"d": "e"}, "l": [{"x": None}], "n": {}}
