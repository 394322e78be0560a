"""What the rules of a schema are judged by: defaults, and the old items of keyed lists."""

from typing import NoReturn

import pytest

from heliostat_core.rules import broken_rules, with_defaults
from heliostat_core.worlds import JsonObject, JsonValue

LIMITS: JsonObject = {
    "type": "object",
    "properties": {
        "turns": {"type": "integer", "default": 50},
        "model": {"type": "string"},
        "retry": {"type": "object", "default": {}, "properties": {"limit": {"default": 2}}},
    },
}
PORTS: JsonObject = {
    "type": "array",
    "x-kubernetes-list-map-keys": ["number", "protocol"],
    "items": {
        "type": "object",
        "x-kubernetes-validations": [
            {"rule": "self.host == oldSelf.host", "message": "host must not change"}
        ],
    },
}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({}, {"turns": 50, "retry": {"limit": 2}}),
        ({"turns": None, "model": None}, {"turns": 50, "retry": {"limit": 2}}),
        ({"turns": 0, "model": ""}, {"turns": 0, "model": "", "retry": {"limit": 2}}),
        ({"retry": {"limit": None}}, {"turns": 50, "retry": {"limit": 2}}),
        (None, None),
    ],
)
def test_a_null_is_as_good_as_nothing_said(value: JsonValue, kept: JsonValue) -> None:
    assert with_defaults(value, LIMITS) == kept
    assert with_defaults([value], {"items": LIMITS}) == [kept]


def port(number: int, protocol: str, host: str) -> JsonObject:
    return {"number": number, "protocol": protocol, "host": host}


@pytest.mark.parametrize(
    ("item", "is_broken"),
    [
        (port(53, "UDP", "b"), False),
        (port(53, "UDP", "a"), True),
        (port(53, "TCP", "a"), False),
        (port(443, "UDP", "c"), False),  # is new
    ],
)
def test_an_item_of_a_keyed_list_is_judged_by_the_old_one_with_all_its_keys(
    item: JsonObject, is_broken: bool
) -> None:
    old = [port(53, "TCP", "a"), port(53, "UDP", "b")]
    broken = [(each.path, str(each)) for each in broken_rules([item], old, PORTS, "ports")]
    assert broken == ([("ports[0]", "host must not change")] if is_broken else [])


class Walked(dict[str, JsonValue]):
    """Says when somebody looks into it."""

    def items(self) -> NoReturn:
        raise AssertionError("it was walked")


def test_a_part_without_rules_is_not_walked() -> None:
    """Most of a resource has none, and a status may be long."""
    value: JsonObject = {"status": Walked(attempts=[]), "spec": {"host": "b"}}
    rule: JsonObject = {"rule": "self.host == 'a'", "message": "must be a"}
    spec: JsonObject = {"x-kubernetes-validations": [rule]}
    status: JsonObject = {"properties": {"attempts": {"items": {}}}}
    node: JsonObject = {"properties": {"spec": spec, "status": status}}
    assert [each.path for each in broken_rules(value, None, node)] == ["spec"]
