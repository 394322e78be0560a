"""The tables of docs/resources.md: every field of our resources, from their schemas."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from heliostat_core.crds import RESOURCES, Resource, build_schema
from heliostat_core.worlds import JsonObject, JsonValue
from tools.sections import table

HEADER = ("field", "type", "default", "must", "meaning")
LONGEST_DEFAULT = 60  # characters; the parts of a longer one have rows of their own


def build_table(resource: Resource, part: str) -> str:
    """One row for each field below `spec` or `status`."""
    schema = _at(_at(build_schema(resource), "properties"), part)
    return table(HEADER, list(_rows(part, schema)))


def _rows(path: str, schema: JsonObject) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", [])
    for name in _at(schema, "properties"):
        field = _at(_at(schema, "properties"), name)
        is_required = isinstance(required, Sequence) and name in required
        yield _row(f"{path}.{name}", field, is_required)
        yield from _rows(f"{path}.{name}", field)
        if field["type"] == "array":
            yield from _rows(f"{path}.{name}[]", _at(field, "items"))


def _row(path: str, field: JsonObject, is_required: bool) -> tuple[str, ...]:
    default = json.dumps(field["default"]) if "default" in field else ""
    return (
        f"`{path}`",
        _say_type(field),
        "required" if is_required else _code(default) if len(default) <= LONGEST_DEFAULT else "",
        "; ".join(_say_bounds(field)),
        str(field["description"]),
    )


def _say_type(field: JsonObject) -> str:
    if field["type"] == "array":
        return f"list of {_say_type(_at(field, 'items'))}"
    return "time" if field.get("format") == "date-time" else str(field["type"])


def _say_bounds(field: JsonObject) -> Iterator[str]:
    match field:
        case {"enum": options} if isinstance(options, Sequence):
            yield "be " + ", ".join(_code(str(option)) for option in options)
        case {"minimum": least, "maximum": most}:
            yield f"be {least} to {most}"
        case {"maxLength": most}:
            yield _say_size(field.get("minLength"), most, "characters")
        case {"maxItems": most}:
            yield _say_size(field.get("minItems"), most, "items")
    if "pattern" in field:
        yield f"match {_code(str(field['pattern']))}"
    if "items" in field:
        yield from (f"each {bound}" for bound in _say_bounds(_at(field, "items")))
    yield from _messages(field)


def _say_size(least: JsonValue, most: JsonValue, what: str) -> str:
    return f"have {least} to {most} {what}" if least else f"have at most {most} {what}"


def _messages(field: JsonObject) -> Iterator[str]:
    rules = field.get("x-kubernetes-validations", [])
    assert isinstance(rules, Sequence)
    for rule in rules:
        assert isinstance(rule, Mapping)
        yield str(rule["message"]).replace("must ", "")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _at(schema: JsonObject, key: str) -> JsonObject:
    value = schema.get(key, {})
    assert isinstance(value, Mapping)
    return value


# Part of the page -> its table.
SECTIONS: Mapping[str, Callable[[], str]] = {
    f"{resource.kind.name.lower()}-{part}": partial(build_table, resource, part)
    for resource in RESOURCES
    for part in ("spec", "status")
}
