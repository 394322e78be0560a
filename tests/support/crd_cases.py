"""What the CRDs accept and what they refuse, as data: bounds from the schema, CEL rules by hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from heliostat_core.crds import RESOURCES, Resource, build_schema
from heliostat_core.worlds import AGENT, APPROVAL, EXECUTION, JsonObject, JsonValue, Kind
from support.crd_values import (
    CRON,
    PATTERNS,
    WRONG_TYPES,
    items,
    object_at,
    smallest,
    text_of_length,
    whole,
)

ANY_KEY = "team"
"""Stands for the keys of a map."""

SMALLEST: Mapping[Kind, JsonObject] = {
    AGENT: {"prompt": "Say hello."},
    EXECUTION: {"agentRef": {"name": "sales"}},
    APPROVAL: {
        "executionRef": {"name": "sales-1", "uid": "uid-1"},
        "action": {"tool": "Bash", "class": "Send", "digest": f"sha256:{'a' * 64}"},
        "expiresTime": "2030-01-02T03:04:05Z",
    },
}


@dataclass(frozen=True)
class Case:
    """One object. `refused_at` is the field's path in the error; None means accepted."""

    name: str
    kind: Kind
    spec: JsonValue
    status: JsonValue = None
    refused_at: str | None = None
    message: str = ""


@dataclass(frozen=True)
class Update:
    """One change of an object that exists: the whole spec before and after."""

    name: str
    kind: Kind
    before: JsonObject
    after: JsonObject
    refused_at: str | None = None
    message: str = ""
    status: JsonValue = None
    """What is written as the status between the two."""


@dataclass(frozen=True)
class Node:
    """One place in a schema, e.g. `spec.tools.allow[*]`."""

    resource: Resource
    tokens: tuple[str, ...]
    schema: JsonObject

    @property
    def path(self) -> str:
        return ".".join(self.tokens).replace(".[*]", "[*]")

    @property
    def field(self) -> str:
        """The path as errors name it: of the first item in lists."""
        return self.path.replace("[*]", "[0]")

    @property
    def label(self) -> str:
        return f"{self.resource.kind.name}:{self.path}"


def nodes() -> list[Node]:
    """Every place below spec and status."""
    return [
        node
        for resource in RESOURCES
        for part in ("spec", "status")
        for node in _walk(resource, (part,), _part_schema(resource, part))
    ]


@cache
def _part_schema(resource: Resource, part: str) -> JsonObject:
    return object_at(object_at(build_schema(resource), "properties"), part)


def _walk(resource: Resource, tokens: tuple[str, ...], schema: JsonObject) -> Iterator[Node]:
    yield Node(resource, tokens, schema)
    for name in object_at(schema, "properties"):
        child = object_at(object_at(schema, "properties"), name)
        yield from _walk(resource, (*tokens, name), child)
    if "additionalProperties" in schema:
        yield from _walk(resource, (*tokens, ANY_KEY), object_at(schema, "additionalProperties"))
    if "items" in schema:
        yield from _walk(resource, (*tokens, "[*]"), object_at(schema, "items"))


def bound_cases(node: Node) -> Iterator[Case]:
    """At each bound accepted, beyond it refused with the field's path."""
    for keyword in node.schema:
        for value, accepted in _bound_values(node.schema, keyword):
            name = f"{keyword} {'keeps' if accepted else 'breaks'} {_short(value)}"
            yield _case(node, name, value, None if accepted else node.field)
    if node.tokens[0] == "spec":  # a status is applied, and an apply tells malformed values apart
        yield from _shape_cases(node)


def _bound_values(schema: JsonObject, keyword: str) -> Iterator[tuple[JsonValue, bool]]:
    bound = schema[keyword]
    match keyword:
        case "minimum" | "maximum":
            yield whole(bound), True
            yield whole(bound) + (1 if keyword == "maximum" else -1), False
        case "minLength" | "maxLength":
            yield text_of_length(schema, whole(bound)), True
            yield (
                text_of_length(schema, whole(bound) + (1 if keyword == "maxLength" else -1)),
                False,
            )
        case "minItems" | "maxItems":
            yield items(schema, whole(bound)), True
            yield items(schema, whole(bound) + (1 if keyword == "maxItems" else -1)), False
        case "maxProperties":
            each = smallest(object_at(schema, "additionalProperties"))
            yield {f"key-{number}": each for number in range(whole(bound))}, True
            yield {f"key-{number}": each for number in range(whole(bound) + 1)}, False
        case "pattern":
            sample = PATTERNS[str(bound)]
            yield from ((value, True) for value in sample.valid)
            yield from ((value, False) for value in sample.invalid)
        case "enum":
            assert isinstance(bound, Sequence)
            yield from ((value, True) for value in bound)
            yield "Nonsense", False
        case "format" if bound == "date-time":
            yield "2026-01-02T03:04:05+02:00", True
            yield "tomorrow", False


def _shape_cases(node: Node) -> Iterator[Case]:
    """Types, required fields, keys that must differ."""
    schema = node.schema
    yield _case(node, "wrong type", WRONG_TYPES[str(schema["type"])], node.field)
    for name in _sequence(schema.get("required")):
        value = smallest(schema)
        assert isinstance(value, Mapping)
        without = {key: each for key, each in value.items() if key != name}
        yield _case(node, f"without {name}", without, f"{node.field}.{name}")
    if "x-kubernetes-list-map-keys" in schema:
        twice = items(schema, 1) * 2
        yield _case(node, "the same key twice", twice, f"{node.field}[1]")


def _case(node: Node, name: str, value: JsonValue, refused_at: str | None) -> Case:
    kind = node.resource.kind
    part, *tokens = node.tokens
    placed = place(_part_schema(node.resource, part), tokens, value, _companions(node.path, value))
    spec, status = (placed, None) if part == "spec" else (SMALLEST[kind], placed)
    return Case(f"{node.label} {name}", kind, spec, status, refused_at)


def place(
    schema: JsonObject, tokens: Sequence[str], value: JsonValue, beside: JsonObject
) -> JsonValue:
    """The smallest instance of the schema that has this value there, `beside` next to it."""
    if not tokens:
        return value
    head, *rest = tokens
    if head == "[*]":
        others = items(schema, whole(schema.get("minItems", 0)))[1:]
        return [place(object_at(schema, "items"), rest, value, beside), *others]
    if "additionalProperties" in schema:
        return {head: place(object_at(schema, "additionalProperties"), rest, value, beside)}
    least = smallest(schema, head)
    assert isinstance(least, Mapping)
    inner = place(object_at(object_at(schema, "properties"), head), rest, value, beside)
    return {**least, **({} if rest else beside), head: inner}


def _companions(path: str, value: JsonValue) -> JsonObject:
    """What a CEL rule wants beside a value that is only to meet its own bounds."""
    if path == "spec.workspace.storage.size":
        return {"type": "Volume"}
    if path == "spec.workspace.storage.type" and value == "Volume":
        return {"size": "1Gi"}
    return {}


def _sequence(value: JsonValue) -> Sequence[str]:
    return [str(each) for each in value] if isinstance(value, Sequence) else []


def _short(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:30]}… ({len(text)})"


def _agent(
    name: str, changes: JsonObject, refused_at: str | None = None, message: str = ""
) -> Case:
    return Case(name, AGENT, {**SMALLEST[AGENT], **changes}, None, refused_at, message)


_ONE_RUNTIME = "must set at most one of claudeCode and command; with neither, Claude Code runs"
_SIZE = "must set size with type Volume, and only then"
_ONE_CHECK = "must set exactly one of command and files"
_INSIDE = "must stay in the workspace: no '..'"
_ONCE = "must name a variable in env or in secretRefs, not in both"
_RESERVED = "must not begin with HELIOSTAT_, ANTHROPIC_, OPENAI_ or CLAUDE_: Heliostat sets those"
_SECRET: JsonObject = {"name": "crm", "key": "token"}
_MANAGED = "projects/acme/secrets/crm-token"
_TWO_FORMS: dict[str, JsonObject] = {
    "both": {**_SECRET, "secretManager": {"secret": _MANAGED}},
    "a key beside": {"key": "token", "secretManager": {"secret": _MANAGED}},
    "a name alone": {"name": "crm"},
    "neither": {},
}
_ONE_SECRET = "must set either name and key, or secretManager"

_ONE_FORM = "must set exactly one of cron and frequency"
_WITHOUT_CRON = "must leave out time, weekday and monthDay beside cron, which says when itself"
_ZONE = "must be a time zone of IANA, for example Asia/Seoul or UTC"
_ONE_BLACKOUT = (
    "must set startTime and endTime for a blackout that happens once, or cron and durationSeconds "
    "for one that recurs"
)
_MAINTENANCE: JsonObject = {"cron": "0 22 * * *", "durationSeconds": 3600}
_HOLIDAYS: JsonObject = {
    "startTime": "2026-12-24T00:00:00+09:00",
    "endTime": "2026-12-24T00:00:00Z",
}


def _schedule(name: str, schedule: JsonObject, field: str | None = None, message: str = "") -> Case:
    at = None if field is None else f"spec.schedule{field}"
    return _agent(f"a schedule {name}", {"schedule": schedule}, at, message)


def _blackout(name: str, blackout: JsonObject, message: str = "") -> Case:
    schedule: JsonObject = {"cron": "0 8 * * *", "blackouts": [blackout]}
    return _schedule(f"and {name}", schedule, ".blackouts[0]" if message else None, message)


SCHEDULE_CASES: Sequence[Case] = (
    _schedule("by cron", {"cron": "0 8 * * 1-5", "timeZone": "Asia/Seoul"}),
    _schedule("by frequency", {"frequency": "weekly", "weekday": "Friday", "time": "08:00"}),
    _schedule("on a day of the month", {"frequency": "monthly", "monthDay": 31}),
    _schedule("by nothing", {}, "", _ONE_FORM),
    _schedule("by both", {"cron": "0 8 * * *", "frequency": "daily"}, "", _ONE_FORM),
    _schedule("by cron with a time", {"cron": "0 8 * * *", "time": "09:00"}, "", _WITHOUT_CRON),
    _schedule(
        "daily with a weekday",
        {"frequency": "daily", "weekday": "Monday"},
        "",
        "must set weekday only with frequency weekly",
    ),
    _schedule(
        "weekly with a day of the month",
        {"frequency": "weekly", "monthDay": 3},
        "",
        "must set monthDay only with frequency monthly",
    ),
    *(
        _schedule(f"in {zone}", {"frequency": "daily", "timeZone": zone}, ".timeZone", _ZONE)
        for zone in ("Asia/Seol", "Local", "KST")
    ),
    _blackout("a blackout that recurs", _MAINTENANCE),
    _blackout("a blackout that happens once", _HOLIDAYS),
    _blackout("an empty blackout", {}, _ONE_BLACKOUT),
    _blackout("a blackout in two ways", {**_MAINTENANCE, **_HOLIDAYS}, _ONE_BLACKOUT),
    _blackout("a blackout without end", {"startTime": "2026-12-24T00:00:00Z"}, _ONE_BLACKOUT),
    _blackout("a blackout without length", {"cron": "0 22 * * *"}, _ONE_BLACKOUT),
    _blackout(
        "a blackout that ends before it begins",
        {"startTime": "2026-12-24T00:00:00Z", "endTime": "2026-12-24T08:00:00+09:00"},
        "endTime must be after startTime",
    ),
)

_CRON_FORM = (
    "must be a cron expression of five fields (minute, hour, day of the month, month, day of the "
    "week), for example `0 8 * * 1-5`; in place of a name such as @hourly write `0 * * * *`, or "
    "use frequency"
)

CRON_CASES: Sequence[Case] = (
    *(_schedule(f"by {cron}", {"cron": cron}) for cron in CRON.valid),
    *(
        _schedule(f"by {cron!r}", {"cron": cron}, ".cron", _CRON_FORM)
        for cron in (*CRON.invalid, "@hourly")
    ),
    _schedule(
        "and a blackout by @daily",
        {"cron": "0 8 * * *", "blackouts": [{**_MAINTENANCE, "cron": "@daily"}]},
        ".blackouts[0].cron",
        _CRON_FORM,
    ),
)

_ONE_MATCHER = "must set exactly one of tool, mcpTool, argv, class and host"
_ASK_QUORUM = "must leave out quorum unless decision is Ask"


def _approval_rule(name: str, rule: JsonObject, message: str = "") -> Case:
    field = "spec.approvals.rules[0]" if message else None
    return _agent(f"rule: {name}", {"approvals": {"rules": [rule]}}, field, message)


_APPROVAL_RULES = (
    _approval_rule(
        "by argv, with examples",
        {"decision": "Ask", "argv": ["curl"], "quorum": 2, "match": ["curl a"], "notMatch": ["ls"]},
    ),
    _approval_rule("by tool", {"decision": "Refuse", "tool": "WebFetch"}),
    _approval_rule("by tool of a server", {"decision": "Ask", "mcpTool": "mcp__crm__*"}),
    _approval_rule("by class", {"decision": "Allow", "class": "Send"}),
    _approval_rule("by host", {"decision": "Allow", "host": "api.example.com"}),
    _approval_rule("by nothing", {"decision": "Ask"}, _ONE_MATCHER),
    _approval_rule("by two", {"decision": "Ask", "tool": "Bash", "class": "Send"}, _ONE_MATCHER),
    _approval_rule(
        "a quorum of nobody", {"decision": "Refuse", "class": "Pay", "quorum": 2}, _ASK_QUORUM
    ),
)
_HOST = (
    "must be a domain (api.example.com), *.domain for all names below it, an IP address or a CIDR"
)
_LINK_LOCAL = "must not be a link-local address: a cloud's metadata lives there"


_KEYS = (
    "must have keys as Kubernetes wants them: a name of at most 63 letters, digits, '-', '_' and "
    "'.', with a DNS name and '/' before it or not"
)
_OURS = (
    "must not have keys of heliostat.dev/ or batch.kubernetes.io/, nor "
    "app.kubernetes.io/managed-by, job-name, controller-uid: Heliostat and Kubernetes set those"
)


def _pods(part: str, given: JsonObject, message: str = "") -> Case:
    field = f"spec.podTemplate.metadata.{part}" if message else None
    spec: JsonObject = {"podTemplate": {"metadata": {part: given}}}
    return _agent(f"{part} of pods {given}"[:80], spec, field, message)


POD_CASES: Sequence[Case] = (
    _agent("an empty template of pods", {"podTemplate": {}}),
    _agent("a template of pods without labels", {"podTemplate": {"metadata": {}}}),
    _pods("labels", {"sidecar.istio.io/inject": "false", "team": "crm", "empty": ""}),
    _pods("annotations", {"prometheus.io/scrape": "true", "note": "a sentence, with signs: {}"}),
    *(
        _pods(part, {key: "x"}, message)
        for part in ("labels", "annotations")
        for key, message in (
            *(("heliostat.dev/agent", _OURS), ("heliostat.dev/execution-uid", _OURS)),
            *(("app.kubernetes.io/managed-by", _OURS), ("batch.kubernetes.io/job-name", _OURS)),
            *(("job-name", _OURS), ("controller-uid", _OURS)),
            *(("a b", _KEYS), ("a/b/c", _KEYS), ("-a", _KEYS), ("/a", _KEYS)),
            ("a" * 64, _KEYS),
        )
    ),
)


def _host(host: str, message: str = "") -> Case:
    at = "spec.workspace.egress[0].host" if message else None
    return _agent(f"the host {host}", {"workspace": {"egress": [{"host": host}]}}, at, message)


HOST_CASES: Sequence[Case] = (
    *map(_host, ("api.example.com", "*.Example.com", "xn--3e0b707e.kr", "a-1.b2.example")),
    *map(_host, ("203.0.113.7", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::1", "2001:db8::/32", "::/0")),
    *(
        _host(host, _HOST)
        for host in (
            *("localhost", "*.com", "a.*.com", "*a.b.com", "-a.com", "a_b.com", "a.com."),
            *("한국.kr", "https://a.com", "a.com:443", "a.com/x", "a b.com", "a.com\n", "a..com"),
            *("127.1", "0x7f.1", "0x7f000001", "010.0.0.1", "256.0.0.1", "1.2.3", "a.1"),
            *("10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "::ffff:10.0.0.1", "::ffff:a00:1"),
            *("fe80::1%eth0", "[2001:db8::1]", ":::", "2001:db8::/129"),
        )
    ),
    *(
        _host(host, _LINK_LOCAL)
        for host in ("169.254.169.254", "169.254.0.0/16", "fe80::1", "FEBF::/16")
    ),
)

RULE_CASES: Sequence[Case] = (
    *SCHEDULE_CASES,
    *CRON_CASES,
    *HOST_CASES,
    *POD_CASES,
    *_APPROVAL_RULES,
    _agent("neither runtime", {"runtime": {}}),
    _agent("Claude Code in so many words", {"runtime": {"claudeCode": {}}}),
    _agent("a command", {"runtime": {"command": ["python3", "agent.py"]}}),
    _agent(
        "two runtimes",
        {"runtime": {"claudeCode": {}, "command": ["true"]}},
        "spec.runtime",
        _ONE_RUNTIME,
    ),
    _agent("ephemeral storage", {"workspace": {"storage": {"type": "Ephemeral"}}}),
    _agent("a volume with size", {"workspace": {"storage": {"type": "Volume", "size": "1Gi"}}}),
    _agent(
        "a volume without size",
        {"workspace": {"storage": {"type": "Volume"}}},
        "spec.workspace.storage",
        _SIZE,
    ),
    _agent(
        "a size without volume",
        {"workspace": {"storage": {"size": "1Gi"}}},
        "spec.workspace.storage",
        _SIZE,
    ),
    _agent("verify by command", {"verify": {"command": ["true"]}}),
    _agent("verify by files", {"verify": {"files": ["report.md", "..notes/a..b"]}}),
    _agent("verify by nothing", {"verify": {}}, "spec.verify", _ONE_CHECK),
    _agent(
        "verify by both",
        {"verify": {"command": ["true"], "files": ["a"]}},
        "spec.verify",
        _ONE_CHECK,
    ),
    *(
        _agent(
            f"a file outside: {path}",
            {"verify": {"files": [path]}},
            "spec.verify.files[0]",
            _INSIDE,
        )
        for path in ("..", "../a", "a/../../b", "a/..")
    ),
    _agent(
        "variables and secrets",
        {
            "workspace": {
                "env": [{"name": "LANGUAGE", "value": "de"}, {"name": "MY_OPENAI_X"}],
                "secretRefs": [{**_SECRET, "envName": "CRM_TOKEN"}],
            }
        },
    ),
    _agent(
        "a variable twice",
        {
            "workspace": {
                "env": [{"name": "CRM_TOKEN"}],
                "secretRefs": [{**_SECRET, "envName": "CRM_TOKEN"}],
            }
        },
        "spec.workspace",
        _ONCE,
    ),
    _agent(
        "a secret of Secret Manager",
        {
            "workspace": {
                "secretRefs": [
                    {"envName": "A", "secretManager": {"secret": _MANAGED}},
                    {"envName": "B", "secretManager": {"secret": _MANAGED, "version": "7"}},
                ]
            }
        },
    ),
    *(
        _agent(
            f"a secret of two forms: {name}",
            {"workspace": {"secretRefs": [{"envName": "A", **ref}]}},
            "spec.workspace.secretRefs[0]",
            _ONE_SECRET,
        )
        for name, ref in _TWO_FORMS.items()
    ),
    *(
        _agent(
            f"a reserved variable {prefix}X",
            {"workspace": {"env": [{"name": f"{prefix}X"}]}},
            "spec.workspace.env[0]",
            f"name {_RESERVED}",
        )
        for prefix in ("HELIOSTAT_", "ANTHROPIC_", "OPENAI_", "CLAUDE_")
    ),
    *(
        _agent(
            f"a reserved variable {prefix}X from a Secret",
            {"workspace": {"secretRefs": [{**_SECRET, "envName": f"{prefix}X"}]}},
            "spec.workspace.secretRefs[0]",
            f"envName {_RESERVED}",
        )
        for prefix in ("HELIOSTAT_", "ANTHROPIC_", "OPENAI_", "CLAUDE_")
    ),
)

_FULL: JsonObject = {
    "agentRef": {"name": "sales"},
    "input": "north",
    "parameters": [{"name": "region", "value": "EU"}],
    "trigger": {"kind": "Command", "id": "1"},
    "requestedBy": "ann",
    "correlationId": "abc",
    "priority": 3,
    "deadlineTime": "2030-01-02T03:04:05Z",
    "cancel": False,
}


def _update(name: str, changes: JsonObject, message: str = "") -> Update:
    after = {key: value for key, value in {**_FULL, **changes}.items() if value is not None}
    return Update(name, EXECUTION, _FULL, after, "spec" if message else None, message)


_STAYS = "must stay as it was at creation"

_ASK: JsonObject = {
    **SMALLEST[APPROVAL],
    "quorum": 2,
    "requesterMayApprove": False,
    "decisions": [{"by": "ann", "decision": "Approve", "digest": f"sha256:{'a' * 64}"}],
}
_RESOLUTION: JsonObject = {"by": "ann", "outcome": "Happened"}


def _ask_update(name: str, changes: JsonObject, message: str = "") -> Update:
    return Update(name, APPROVAL, _ASK, {**_ASK, **changes}, "spec" if message else None, message)


_ASKED = "must stay as it was asked"
_RESOLVED = "resolution must stay as it was said"

UPDATES: Sequence[Update] = (
    _ask_update("an ask as it was", {}),
    _ask_update(
        "one more decides",
        {
            "decisions": [
                {"by": "ann", "decision": "Approve", "digest": f"sha256:{'a' * 64}"},
                {"by": "bob", "decision": "Deny", "digest": f"sha256:{'a' * 64}"},
            ]
        },
    ),
    _ask_update(
        "another run asks", {"executionRef": {"name": "hr-1", "uid": "u"}}, f"executionRef {_ASKED}"
    ),
    _ask_update(
        "another action",
        {"action": {"tool": "Bash", "class": "Send", "digest": f"sha256:{'b' * 64}"}},
        f"action {_ASKED}",
    ),
    _ask_update("fewer must say yes", {"quorum": 1}, f"quorum {_ASKED}"),
    _ask_update(
        "more time to answer", {"expiresTime": "2031-01-02T03:04:05Z"}, f"expiresTime {_ASKED}"
    ),
    _ask_update(
        "the requester may decide after all",
        {"requesterMayApprove": True},
        f"requesterMayApprove {_ASKED}",
    ),
    _ask_update("an outcome that was found out", {"resolution": _RESOLUTION}),
    Update(
        "another outcome",
        APPROVAL,
        {**_ASK, "resolution": _RESOLUTION},
        {**_ASK, "resolution": {"by": "ann", "outcome": "DidNotHappen"}},
        "spec",
        _RESOLVED,
    ),
    _update("another requester", {"requestedBy": "bob"}, f"requestedBy {_STAYS}"),
    _update("requester taken away", {"requestedBy": None}, f"requestedBy {_STAYS}"),
    _update("nothing changes", {}),
    _update("another priority", {"priority": 10}),
    _update("priority taken away", {"priority": None}),
    _update("cancelled", {"cancel": True}),
    _update("another agent", {"agentRef": {"name": "hr"}}, f"agentRef {_STAYS}"),
    _update("another input", {"input": "south"}, f"input {_STAYS}"),
    _update("input taken away", {"input": None}, f"input {_STAYS}"),
    _update(
        "another parameter",
        {"parameters": [{"name": "region", "value": "US"}]},
        f"parameters {_STAYS}",
    ),
    _update("parameters taken away", {"parameters": None}, f"parameters {_STAYS}"),
    _update("another trigger", {"trigger": {"kind": "Manual"}}, f"trigger {_STAYS}"),
    _update("another correlation", {"correlationId": "x"}, f"correlationId {_STAYS}"),
    _update("another deadline", {"deadlineTime": "2031-01-02T03:04:05Z"}, f"deadlineTime {_STAYS}"),
    _update("deadline taken away", {"deadlineTime": None}, f"deadlineTime {_STAYS}"),
    Update(
        "deadline added later",
        EXECUTION,
        SMALLEST[EXECUTION],
        {**SMALLEST[EXECUTION], "deadlineTime": "2030-01-02T03:04:05Z"},
        "spec",
        f"deadlineTime {_STAYS}",
    ),
    Update(
        "a stop taken back",
        EXECUTION,
        {**_FULL, "cancel": True},
        {**_FULL, "cancel": False},
        "spec",
        "cancel must stay true: a stop can't be taken back",
    ),
    Update(
        "a stop left out",
        EXECUTION,
        {**_FULL, "cancel": True},
        {key: value for key, value in _FULL.items() if key != "cancel"},
        "spec",
        "cancel must stay true: a stop can't be taken back",
    ),
    Update(
        "a stop of a run that has ended",
        EXECUTION,
        _FULL,
        {**_FULL, "cancel": True},
        "spec.cancel",
        "must stay false: the run has ended, and nothing of it is left to stop; delete the "
        "Execution to remove its record",
        {"completionTime": "2026-01-02T03:04:05Z"},
    ),
    Update(
        "a stopped run that has ended, with another priority",
        EXECUTION,
        {**_FULL, "cancel": True},
        {**_FULL, "cancel": True, "priority": 4},
        status={"completionTime": "2026-01-02T03:04:05Z"},
    ),
    Update(
        "from Claude Code by default to a command",
        AGENT,
        SMALLEST[AGENT],
        {**SMALLEST[AGENT], "runtime": {"command": ["true"]}},
    ),
    Update(
        "from a volume back to the default",
        AGENT,
        {**SMALLEST[AGENT], "workspace": {"storage": {"type": "Volume", "size": "1Gi"}}},
        SMALLEST[AGENT],
    ),
)
