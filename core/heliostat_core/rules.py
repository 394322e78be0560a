"""The rules across fields of a schema: x-kubernetes-validations, evaluated as CEL.

`self` is the value that the rule stands at, `oldSelf` the same place of the object as it was. A
rule that names oldSelf is judged only where there was an old value.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from heliostat_core.egress import read_network
from heliostat_core.reading import part, parts, text, texts
from heliostat_core.schedules.zones import find_zone
from heliostat_core.worlds import JsonObject, JsonValue

if TYPE_CHECKING:
    import cel

_IS_TRANSITION = re.compile(r"\boldSelf\b")
# By the id of a schema's node, which is kept so that no other gets its id.
_WITH_RULES: dict[int, tuple[JsonObject, bool]] = {}


@dataclass(frozen=True)
class Violation:
    """A broken rule: where, and what must be."""

    path: str
    type: str
    message: str
    doubt: str = ""
    """Why the rule could not be evaluated: then it counts as broken."""

    def __str__(self) -> str:
        return f"{self.doubt} evaluating rule: {self.message}" if self.doubt else self.message


def broken_rules(
    value: JsonValue, old: JsonValue, node: JsonObject, path: str = ""
) -> Iterator[Violation]:
    """Every rule of a schema's node, and of those below it, that the value breaks."""
    if not _has_rules(node):
        return
    for rule in parts(node, "x-kubernetes-validations"):
        doubt = _judge(rule, value, old)
        if doubt is not None:
            where, said = _rule_path(path, rule), text(rule, "message")
            said = said or f"failed rule: {text(rule, 'rule')}"
            yield Violation(where, text(node, "type"), said, doubt)
    if isinstance(value, Mapping):
        yield from _broken_in_fields(value, old if isinstance(old, Mapping) else {}, node, path)
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            before = _old_item(each, old, node)
            yield from broken_rules(each, before, part(node, "items"), f"{path}[{index}]")


def repeated_items(
    value: JsonValue, node: JsonObject, path: str = ""
) -> Iterator[tuple[str, JsonObject]]:
    """Items of keyed lists that have the keys of one before them, each with these keys."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            here = f"{path}.{key}" if path else key
            yield from repeated_items(each, part(node, "properties", key), here)
    elif isinstance(value, list | tuple):
        keys = texts(node, "x-kubernetes-list-map-keys")
        seen: list[JsonObject] = []
        for index, each in enumerate(value):
            yield from repeated_items(each, part(node, "items"), f"{path}[{index}]")
            if keys and isinstance(each, Mapping):
                mark = {key: each.get(key) for key in keys}
                if mark in seen:
                    yield f"{path}[{index}]", mark
                seen.append(mark)


def with_defaults(value: JsonValue, node: JsonObject) -> JsonValue:
    """The value as the API server keeps it for the rules: with defaults, without nulls."""
    if isinstance(value, list | tuple):
        return [with_defaults(each, part(node, "items")) for each in value]
    if not isinstance(value, Mapping) or "additionalProperties" in node:
        return value
    fields = part(node, "properties")
    said = {key: each for key, each in value.items() if each is not None}
    unsaid = {
        key: field["default"]
        for key in fields.keys() - said.keys()
        if "default" in (field := part(fields, key))
    }
    return {key: with_defaults(each, part(fields, key)) for key, each in {**said, **unsaid}.items()}


def _broken_in_fields(
    value: JsonObject, old: JsonObject, node: JsonObject, path: str
) -> Iterator[Violation]:
    further = part(node, "additionalProperties")
    for key, each in value.items():
        field = part(node, "properties", key) or further
        here = f"{path}.{key}" if path else key
        yield from broken_rules(each, old.get(key), field, here)


def _has_rules(node: JsonObject) -> bool:
    """Whether a node or one below it has a rule: most of a resource has none, and is not walked."""
    if not node:
        return False
    known = _WITH_RULES.get(id(node))
    if known is None or known[0] is not node:
        inner = part(node, "properties").values()
        below = [*inner, node.get("items"), node.get("additionalProperties")]
        has_below = any(_has_rules(each) for each in below if isinstance(each, Mapping))
        known = node, has_below or bool(parts(node, "x-kubernetes-validations"))
        _WITH_RULES[id(node)] = known
    return known[1]


def _rule_path(path: str, rule: JsonObject) -> str:
    return f"{path}{text(rule, 'fieldPath')}".lstrip(".") or "<nil>"


def _old_item(item: JsonValue, old: JsonValue, node: JsonObject) -> JsonValue:
    """The old item with the same keys; other lists than keyed ones have no old items."""
    keys = texts(node, "x-kubernetes-list-map-keys")
    if not keys or not isinstance(item, Mapping) or not isinstance(old, list | tuple):
        return None
    for each in old:
        if isinstance(each, Mapping) and all(each.get(key) == item.get(key) for key in keys):
            return each
    return None


def _judge(rule: JsonObject, value: JsonValue, old: JsonValue) -> str | None:
    """None when the rule holds; else why it could not be evaluated, empty when it is broken."""
    source = text(rule, "rule")
    if _IS_TRANSITION.search(source) and old is None:
        return None
    try:
        return None if _is_true(source, value, old) else ""
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        return str(error) or type(error).__name__


def _is_true(source: str, value: JsonValue, old: JsonValue) -> bool:
    import cel

    variables = {"self": value, "oldSelf": old}
    if not any(name in source for name in _FUNCTIONS):
        return _compiled(source).execute(variables) is True
    return _compiled(source).execute(cel.Context(variables, dict(_FUNCTIONS))) is True


def _hours_in_zone(instant: datetime, zone: str) -> int:
    """CEL's timestamp.getHours(zone), which our library lacks. Raises ValueError for no zone."""
    found = find_zone(zone)
    if found is None:
        raise ValueError(f"unknown time zone {zone}")
    return instant.astimezone(found).hour


def _is_ip(text: str) -> bool:
    return "/" not in text and _is_cidr(text)


def _is_cidr(text: str) -> bool:
    return read_network(text) is not None


_FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "getHours": _hours_in_zone,
    "isIP": _is_ip,
    "isCIDR": _is_cidr,
}
"""What Kubernetes' CEL knows and our library lacks."""


@cache
def _compiled(source: str) -> "cel.Program":
    # Imported here: it brings a terminal library of its own, for which no reader should wait.
    import cel

    return cel.compile(source)
