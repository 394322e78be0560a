"""Values that fit a structural schema, and values just beyond each of its bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heliostat_core.schedules.model import CRON_PATTERN, TIME_PATTERN, ZONE_PATTERN
from heliostat_core.worlds import JsonObject, JsonValue


@dataclass(frozen=True)
class PatternSample:
    """What one pattern takes and what it refuses; `head` and then `fill` repeated fits, at any
    length where the pattern leaves one."""

    valid: tuple[str, ...]
    invalid: tuple[str, ...]
    fill: str = "a"
    head: str = ""
    exact: tuple[str, ...] = ()
    """Texts that are taken as they are where one of that length is wanted."""

    def text(self, length: int) -> str:
        filled = (self.head + self.fill * length)[:length]
        return next((each for each in self.exact if len(each) == length), filled)


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
    r"^sha256:[0-9a-f]{64}$": PatternSample(
        (f"sha256:{'a' * 64}", f"sha256:{'0' * 64}"),
        (f"sha256:{'A' * 64}", f"sha256:{'g' * 64}", f"sha512:{'a' * 64}", "sha256:a"),
        "a",
        "sha256:",
    ),
    r"^[a-z][A-Za-z0-9]*$": PatternSample(("a", "argv0"), ("A", "1a", "a-b", "a\n")),
    r"^[A-Za-z_][A-Za-z0-9_-]*$": PatternSample(("Bash", "_a-1"), ("1", "a b", "a(", "a\n")),
    r"^mcp__[A-Za-z0-9_-]+(__[A-Za-z0-9_-]+)?\*?$": PatternSample(
        ("mcp__crm__send", "mcp__crm__*", "mcp__a"),
        ("crm", "mcp__", "mcp__a b", "mcp__*__a"),
        "a",
        "mcp__",
    ),
    r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$": PatternSample(
        ("a", "api.example.com", "*.example.com"),
        ("*", "a..b", "-a", "a.", "A", "a/b", "a:1", "a\n"),
    ),
    r"^[A-Za-z0-9._:/-]*$": PatternSample(("", "a", "a:b/c"), ("a b", "a\n")),
    r"^[A-Z][A-Za-z]*$": PatternSample(("A", "AgentError"), ("a", "A1", "A b", "A\n"), "A"),
    r"^([1-9][0-9]*m|[1-9][0-9]*(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9])$": PatternSample(
        ("500m", "2", "1.5", "0.001"), ("0", "0m", "0.0", "1.5m", "-1", "1k", "1 ", "2\n"), "1"
    ),
    r"^[1-9][0-9]*(\.[0-9]{1,3})?(k|M|G|T|Ki|Mi|Gi|Ti)?$": PatternSample(
        ("1Gi", "512M", "1.5Gi", "1000000"), ("0", "0Gi", "1m", "1 Gi", "-1Gi", "1gi", "1Gi\n"), "1"
    ),
    r"^projects/[a-z0-9][-a-z0-9.:]*/secrets/[A-Za-z0-9_-]+$": PatternSample(
        ("projects/acme/secrets/crm_Token-1", "projects/123/secrets/a"),
        ("crm", "projects/acme/secrets/a/versions/1", "projects//secrets/a", "projects/a/secrets/"),
        "a",
        "projects/a/secrets/",
    ),
    r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$": PatternSample(
        ("", "a", "crm.team_1-x"), ("-a", "a-", "a b", "a/b", "a\n")
    ),
    r"^(latest|[1-9][0-9]*)$": PatternSample(("latest", "7"), ("", "0", "newest", "1\n"), "1"),
    TIME_PATTERN: PatternSample(
        ("00:00", "08:30", "23:59"), ("8:00", "24:00", "08:60", "0800", "08:00\n"), "0", "08:00"
    ),
    ZONE_PATTERN: PatternSample(
        ("UTC", "Asia/Seoul", "America/Argentina/Buenos_Aires", "Etc/GMT+3"),
        ("", "+09:00", "seoul", "Asia/", "/Asia", "../x", "Asia/Seoul\n"),
        "a",
        "A",
        ("NZ", "America/Argentina/ComodRivadavia"),
    ),
}

CRON = PatternSample(
    (
        *("* * * * *", "0 8 * * 1-5", "*/15 0-23/2 1,15 JAN-MAR MON", "0 8 L * *"),
        *("0 8 LW * *", "0 8 * * 5L", "0 8 * * 1#2", "0 0 29 2 *"),
    ),
    (
        *("* * * *", "* * * * * *", "60 * * * *", "0 24 * * *", "0 0 32 * *", "0 0 0 * *"),
        *("0 0 * 13 *", "0 0 * * 8", "@daily", "*/0 * * * *", "0 8 * * 1#6", "* * * * *\n"),
    ),
    ",1",
    "10 0 1 1 1",
)
"""What the rule of a cron expression takes: a pattern would be told by its 1,100 letters."""

WRONG_TYPES: Mapping[str, JsonValue] = {
    "string": 1,
    "integer": 1.5,
    "boolean": "true",
    "array": {},
    "object": "text",
}


_RECURRING: JsonObject = {"cron": "0 22 * * *", "durationSeconds": 3600}
# What a rule across fields wants beside a field, by the rule's message; "" is the least instance.
NEEDED: Mapping[str, Mapping[str, JsonObject]] = {
    "must set exactly one of tool, mcpTool, argv, class and host": {
        "": {"tool": "Bash"},
        **{each: {} for each in ("tool", "mcpTool", "argv", "class", "host")},
        "quorum": {"tool": "Bash", "decision": "Ask"},
    },
    "must set exactly one of cron and frequency": {
        "": {"cron": "0 8 * * 1"},
        "cron": {},
        "frequency": {},
        "time": {"frequency": "daily"},
        "weekday": {"frequency": "weekly"},
        "monthDay": {"frequency": "monthly"},
    },
    "must set startTime and endTime for a blackout that happens once, or cron and durationSeconds "
    "for one that recurs": {
        "": _RECURRING,
        "startTime": {"endTime": "2100-01-01T00:00:00Z"},
        "endTime": {"startTime": "2000-01-01T00:00:00Z"},
    },
    "must set either name and key, or secretManager": {
        "": {"name": "crm", "key": "token"},
        "name": {"key": "token"},
        "key": {"name": "crm"},
        "secretManager": {},
    },
}


def needed(schema: JsonObject, field: str = "") -> JsonObject:
    """What the rules of an object want beside one of its fields."""
    rules = schema.get("x-kubernetes-validations", [])
    assert isinstance(rules, Sequence)
    for rule in rules:
        assert isinstance(rule, Mapping)
        choices = NEEDED.get(str(rule["message"]))
        if choices is not None:
            return choices.get(field, choices[""])
    return {}


def smallest(schema: JsonObject, field: str = "") -> JsonValue:
    """The least that fits, and has room for a field: required fields only, lists at their lower
    bound."""
    match schema["type"]:
        case "object":
            properties = object_at(schema, "properties")
            required = schema.get("required", [])
            assert isinstance(required, Sequence)
            least = {str(name): smallest(object_at(properties, str(name))) for name in required}
            return {**least, **needed(schema, field)}
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
    if "isCIDR" in str(schema.get("x-kubernetes-validations", "")):
        return host_of_length(length)
    if any(CRON_PATTERN in str(each) for each in _rules(schema)):
        return CRON.text(length)
    pattern = schema.get("pattern")
    return PATTERNS[pattern].text(length) if isinstance(pattern, str) else "a" * length


def _rules(schema: JsonObject) -> list[JsonValue]:
    rules = schema.get("x-kubernetes-validations")
    return (
        [each["rule"] for each in rules if isinstance(each, Mapping)]
        if isinstance(rules, list)
        else []
    )


def host_of_length(length: int) -> str:
    """A domain of labels of 59 letters at most."""
    body = "".join("." if place % 60 == 59 else "a" for place in range(length - 2))
    return f"{body}.a"


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
