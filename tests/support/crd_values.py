"""Values that fit a structural schema, and values just beyond each of its bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heliostat_core.worlds import JsonObject, JsonValue


@dataclass(frozen=True)
class PatternSample:
    """What one pattern takes and what it refuses; `fill` repeated at any length fits."""

    valid: tuple[str, ...]
    invalid: tuple[str, ...]
    fill: str = "a"


# Every pattern of the CRDs; a test holds that none is missing or left over.
PATTERNS: Mapping[str, PatternSample] = {
    r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$": PatternSample(
        ("a", "sales-1", "a.b"), ("A", "-a", "a-", "a_b", "a\n", "ä")
    ),
    r"^[A-Za-z_][A-Za-z0-9_]*$": PatternSample(("a", "_A1"), ("1a", "a-b", "a b", "a\n")),
    r"^[A-Za-z][A-Za-z0-9_]*$": PatternSample(("a", "A_1"), ("_a", "1a", "a-b", "a\n")),
    r"^[A-Za-z_][A-Za-z0-9_-]*(\([^\n]+\))?$": PatternSample(
        ("Bash", "Bash(python3:*)", "mcp__a__b-c"), ("Bash(", "Bash()", "Bash(a\nb)", "1", "a b")
    ),
    r"^[^/\n][^\n]*$": PatternSample(("report.md", "out/a b"), ("/etc/passwd", "a\nb", "a\n")),
    r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$": PatternSample(
        ("claude-sonnet-5-5", "scripted/demo", "a:b@c"), ("-a", "a b", "/a", "a\n")
    ),
    r"^[-._a-zA-Z0-9]+$": PatternSample(("a", "tls.key", "-"), ("a b", "a/b", "a\n")),
    r"^[^\s]+$": PatternSample(("a", "registry/a:1"), ("a b", "a\n")),
    r"^[A-Za-z0-9._:/-]*$": PatternSample(("", "a", "a:b/c"), ("a b", "a\n")),
    r"^[A-Z][A-Za-z]*$": PatternSample(("A", "AgentError"), ("a", "A1", "A b", "A\n"), "A"),
    r"^([1-9][0-9]*m|[1-9][0-9]*(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9])$": PatternSample(
        ("500m", "2", "1.5", "0.001"), ("0", "0m", "0.0", "1.5m", "-1", "1k", "1 ", "2\n"), "1"
    ),
    r"^[1-9][0-9]*(\.[0-9]{1,3})?(k|M|G|T|Ki|Mi|Gi|Ti)?$": PatternSample(
        ("1Gi", "512M", "1.5Gi", "1000000"), ("0", "0Gi", "1m", "1 Gi", "-1Gi", "1gi", "1Gi\n"), "1"
    ),
}

WRONG_TYPES: Mapping[str, JsonValue] = {
    "string": 1,
    "integer": 1.5,
    "boolean": "true",
    "array": {},
    "object": "text",
}


def smallest(schema: JsonObject) -> JsonValue:
    """The least that fits: required fields only, lists at their lower bound."""
    match schema["type"]:
        case "object":
            properties = object_at(schema, "properties")
            required = schema.get("required", [])
            assert isinstance(required, Sequence)
            return {str(name): smallest(object_at(properties, str(name))) for name in required}
        case "array":
            return items(schema, whole(schema.get("minItems", 0)))
        case "integer":
            return whole(schema.get("minimum", 0))
        case "boolean":
            return False
        case _:
            return smallest_text(schema)


def smallest_text(schema: JsonObject) -> str:
    options = schema.get("enum")
    if isinstance(options, Sequence):
        return str(options[0])
    if schema.get("format") == "date-time":
        return "2026-01-02T03:04:05Z"
    return text_of_length(schema, whole(schema.get("minLength", 0)) or 1)


def text_of_length(schema: JsonObject, length: int) -> str:
    """A text of that length which fits the pattern, if there is one."""
    pattern = schema.get("pattern")
    return (PATTERNS[pattern].fill if isinstance(pattern, str) else "a") * length


def items(schema: JsonObject, count: int) -> list[JsonValue]:
    """So many items; those of a list by keys differ in their keys."""
    item_schema = object_at(schema, "items")
    keys = schema.get("x-kubernetes-list-map-keys", [])
    assert isinstance(keys, Sequence)
    return [vary(smallest(item_schema), [str(key) for key in keys], i) for i in range(count)]


def vary(item: JsonValue, keys: Sequence[str], index: int) -> JsonValue:
    if not keys:
        return item
    assert isinstance(item, Mapping)
    return {**item, **{key: vary_key(item[key], index) for key in keys}}


def vary_key(value: JsonValue, index: int) -> JsonValue:
    return value + index if isinstance(value, int) else f"{value}{index}"


def object_at(schema: JsonObject, key: str) -> JsonObject:
    value = schema.get(key, {})
    assert isinstance(value, Mapping)
    return value


def whole(value: JsonValue) -> int:
    assert isinstance(value, int)
    return value
