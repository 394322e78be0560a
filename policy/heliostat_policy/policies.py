"""Rules and the policy that they make, as JSON and as values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from heliostat_policy.actions import digest_of
from heliostat_policy.classes import ActionClass, Decision
from heliostat_policy.json_values import JsonObject, JsonValue, dump_canonical

MOST_RULES: Final = 64
MOST_QUORUM: Final = 9
_MATCHERS: Final = ("tool", "mcpTool", "argv", "class", "host")
_OF_RULE: Final = frozenset({"decision", *_MATCHERS, "quorum", "match", "notMatch"})
_OF_POLICY: Final = frozenset({"rules", "egress", "secretRefs", "hosts", "quorum", "mode"})

AnEnum = TypeVar("AnEnum", bound=StrEnum)


class InvalidPolicy(ValueError):
    """Says which field of a policy is wrong, and what it must be."""


class Mode(StrEnum):
    """Whether asks and refusals are enforced, or only noted."""

    ENFORCE = "Enforce"
    OBSERVE = "Observe"


@dataclass(frozen=True)
class Rule:
    """What happens to the actions that it matches; exactly one of the five matchers is set."""

    decision: Decision
    tool: str = ""
    mcp_tool: str = ""
    argv: tuple[str, ...] = ()
    class_: ActionClass | None = None
    host: str = ""
    quorum: int | None = None
    match: tuple[str, ...] = ()
    not_match: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = (self.tool, self.mcp_tool, self.argv, self.class_, self.host)
        if sum(bool(each) for each in given) != 1:
            raise InvalidPolicy(f"must set exactly one of {', '.join(_MATCHERS)}")
        if self.quorum is not None and not 1 <= self.quorum <= MOST_QUORUM:
            raise InvalidPolicy(f"quorum must be 1 to {MOST_QUORUM}")
        if "*" in self.mcp_tool[:-1]:
            raise InvalidPolicy("mcpTool may have one *, at its end")

    @staticmethod
    def from_json(value: JsonValue) -> "Rule":
        """Reads the form of the Agent's spec.approvals.rules. Raises InvalidPolicy."""
        rule = _object(value, "", _OF_RULE)
        quorum = rule.get("quorum")
        if quorum is not None and (not isinstance(quorum, int) or isinstance(quorum, bool)):
            raise InvalidPolicy("quorum must be a whole number")
        class_ = rule.get("class")
        return Rule(
            decision=_one_of(Decision, rule.get("decision"), "decision"),
            tool=_text(rule, "tool"),
            mcp_tool=_text(rule, "mcpTool"),
            argv=_texts(rule, "argv"),
            class_=None if class_ is None else _one_of(ActionClass, class_, "class"),
            host=_text(rule, "host").lower(),
            quorum=quorum,
            match=_texts(rule, "match"),
            not_match=_texts(rule, "notMatch"),
        )

    def to_json(self) -> JsonObject:
        """Writes that form; what is not set is left out."""
        form: JsonObject = {
            "decision": str(self.decision),
            "tool": self.tool,
            "mcpTool": self.mcp_tool,
            "argv": list(self.argv),
            "class": None if self.class_ is None else str(self.class_),
            "host": self.host,
            "quorum": self.quorum,
            "match": list(self.match),
            "notMatch": list(self.not_match),
        }
        return {name: each for name, each in form.items() if each}


@dataclass(frozen=True)
class Policy:
    """What may happen in a run: the Agent's rules, and what the defaults depend on."""

    rules: tuple[Rule, ...] = ()
    egress: bool = False
    secret_refs: bool = False
    hosts: tuple[str, ...] = ()
    quorum: int = 1
    mode: Mode = Mode.ENFORCE

    @staticmethod
    def from_json(value: JsonValue) -> "Policy":
        """Reads what `to_json` wrote. Raises InvalidPolicy, which names the field."""
        policy = _object(value, "", _OF_POLICY)
        quorum = policy.get("quorum", 1)
        if (
            not isinstance(quorum, int)
            or isinstance(quorum, bool)
            or not 1 <= quorum <= MOST_QUORUM
        ):
            raise InvalidPolicy(f"quorum must be 1 to {MOST_QUORUM}")
        return Policy(
            rules=read_rules(policy.get("rules", [])),
            egress=_truth(policy, "egress"),
            secret_refs=_truth(policy, "secretRefs"),
            hosts=_texts(policy, "hosts"),
            quorum=quorum,
            mode=_one_of(Mode, policy.get("mode", "Enforce"), "mode"),
        )

    def to_json(self) -> JsonObject:
        """Writes the whole policy, defaults too: its version depends on each."""
        return {
            "rules": [each.to_json() for each in self.rules],
            "egress": self.egress,
            "secretRefs": self.secret_refs,
            "hosts": list(self.hosts),
            "quorum": self.quorum,
            "mode": str(self.mode),
        }


def version_of(policy: Policy) -> str:
    """Names a policy by its content: equal policies have equal versions."""
    return digest_of(dump_canonical(policy.to_json()))


def read_rules(value: JsonValue) -> tuple[Rule, ...]:
    """Reads a list of rules. Raises InvalidPolicy, which names the rule and its field."""
    if not isinstance(value, list):
        raise InvalidPolicy("rules must be a list")
    if len(value) > MOST_RULES:
        raise InvalidPolicy(f"rules must be at most {MOST_RULES}")
    return tuple(_rule(each, index) for index, each in enumerate(value))


def _rule(value: JsonValue, index: int) -> Rule:
    try:
        return Rule.from_json(value)
    except InvalidPolicy as error:
        raise InvalidPolicy(f"rules[{index}]: {error}") from error


def _object(value: JsonValue, name: str, known: frozenset[str]) -> JsonObject:
    if not isinstance(value, dict):
        raise InvalidPolicy(f"{name or 'it'} must be an object")
    strange = sorted(set(value) - known)
    if strange:
        raise InvalidPolicy(f"{strange[0]} is no field; there are {', '.join(sorted(known))}")
    return value


def _one_of(kind: type[AnEnum], value: JsonValue, name: str) -> AnEnum:
    try:
        return kind(value if isinstance(value, str) else "")
    except ValueError as error:
        raise InvalidPolicy(f"{name} must be one of {', '.join(kind)}") from error


def _text(value: JsonObject, name: str) -> str:
    found = value.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or not found:
        raise InvalidPolicy(f"{name} must be a text that is not empty")
    return found


def _texts(value: JsonObject, name: str) -> tuple[str, ...]:
    found = value.get(name)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
        raise InvalidPolicy(f"{name} must be a list of texts that are not empty")
    return tuple(str(each) for each in found)


def _truth(value: JsonObject, name: str) -> bool:
    found = value.get(name, False)
    if not isinstance(found, bool):
        raise InvalidPolicy(f"{name} must be true or false")
    return found
