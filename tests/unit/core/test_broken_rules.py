"""Rules across fields, judged as the API server judges them: what is broken, and what is said."""

from collections.abc import Sequence

import pytest

from heliostat_core.rules import broken_rules, repeated_items, with_defaults
from heliostat_core.worlds import JsonObject, JsonValue


def schema(rule: str, **rest: JsonValue) -> JsonObject:
    return {"type": "object", "x-kubernetes-validations": [{"rule": rule, **rest}]}


def broken(value: JsonValue, node: JsonObject, old: JsonValue = None) -> Sequence[tuple[str, str]]:
    return [(each.path, str(each)) for each in broken_rules(value, old, node)]


def test_a_broken_rule_is_told_with_its_place_and_message() -> None:
    node = schema("self.a < self.b", message="must grow", fieldPath=".a")
    assert broken({"a": 1, "b": 2}, node) == []
    assert broken({"a": 2, "b": 1}, node) == [("a", "must grow")]
    inner: JsonObject = {"properties": {"at": node}}
    assert broken({"at": {"a": 2, "b": 1}, "else": 1}, inner) == [("at.a", "must grow")]


def test_a_rule_without_a_message_is_told_itself() -> None:
    assert broken({"a": 1}, schema("self.a > 1")) == [("<nil>", "failed rule: self.a > 1")]


def test_a_rule_that_can_not_be_evaluated_counts_as_broken_and_says_why() -> None:
    ((path, said),) = broken({}, schema("self.a > 1", message="must be large"))
    assert (path, said.endswith(" evaluating rule: must be large")) == ("<nil>", True)


def test_values_of_a_map_are_judged_one_by_one() -> None:
    node: JsonObject = {"additionalProperties": schema("self.n > 0", message="no")}
    assert broken({"one": {"n": 1}, "two": {"n": 0}}, node) == [("two", "no")]


NEVER_LESS = schema("self.n >= oldSelf.n", message="must not fall")
KEYED: JsonObject = {"items": NEVER_LESS, "x-kubernetes-list-map-keys": ["name"]}


@pytest.mark.parametrize(
    ("node", "old", "found"),
    [
        (KEYED, [{"name": "x", "n": 9}, {"name": "a", "n": 2}], ["[0]"]),
        (KEYED, [{"name": "a", "n": 1}], []),
        (KEYED, [{"name": "b", "n": 9}], []),
        (KEYED, ["a"], []),
        (KEYED, [], []),
        (KEYED, None, []),
        ({"items": NEVER_LESS}, [{"name": "a", "n": 2}], []),
    ],
)
def test_an_item_is_compared_with_the_old_one_of_its_keys(
    node: JsonObject, old: JsonValue, found: list[str]
) -> None:
    assert [path for path, _ in broken([{"name": "a", "n": 1}], node, old)] == found


def test_an_item_whose_keys_are_there_already_is_named() -> None:
    node: JsonObject = {"properties": {"env": KEYED}}
    value: JsonValue = {"env": [{"name": "a"}, {"name": "b"}, {"name": "a"}, "a"]}
    assert list(repeated_items(value, node)) == [("env[2]", {"name": "a"})]


def test_rules_see_defaults_and_no_nulls() -> None:
    part: JsonObject = {"properties": {"n": {"default": 3}, "m": {}}}
    node: JsonObject = {"properties": {"one": part, "all": {"items": part}}}
    value: JsonValue = {"one": {"m": None}, "all": [{"n": 1}, "x"]}
    assert with_defaults(value, node) == {"one": {"n": 3}, "all": [{"n": 1}, "x"]}
    assert with_defaults({"m": None}, {"additionalProperties": {}}) == {"m": None}


@pytest.mark.parametrize(
    ("zone", "said"),
    [("Asia/Seoul", None), ("UTC", "at nine"), ("Mars/Base", "unknown time zone Mars/Base")],
)
def test_the_hour_of_a_zone_can_be_asked(zone: str, said: str | None) -> None:
    rule = f"timestamp('2026-01-01T00:00:00Z').getHours('{zone}') == 9"
    found = broken({}, schema(rule, message="at nine"))
    assert [said in text for _, text in found if said] == ([True] if said else [])
    assert bool(found) is (said is not None)


@pytest.mark.parametrize(
    ("text", "is_ip", "is_cidr"),
    [("10.0.0.1", True, True), ("10.0.0.0/8", False, True), ("example.com", False, False)],
)
def test_addresses_and_networks_are_known(text: str, is_ip: bool, is_cidr: bool) -> None:
    node = {"ip": schema(f"isIP('{text}')"), "cidr": schema(f"isCIDR('{text}')")}
    assert (broken({}, node["ip"]) == [], broken({}, node["cidr"]) == []) == (is_ip, is_cidr)
