"""Judges a call of a tool: what it does, and what the rules and the defaults make of that."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from heliostat_policy.classes import ActionClass, Decision, strictest
from heliostat_policy.effects import Effect, Reason
from heliostat_policy.json_values import JsonObject
from heliostat_policy.policies import (
    InvalidPolicy,
    Mode,
    Policy,
    Rule,
    read_rules,
    version_of,
)
from heliostat_policy.shell.effects import effects_of
from heliostat_policy.tools import effect_of, host_of
from heliostat_policy.words import words_of

__all__ = [
    "Call",
    "ExampleFault",
    "InvalidPolicy",
    "Mode",
    "Policy",
    "Rule",
    "Verdict",
    "check_examples",
    "default_of",
    "judge",
    "read_rules",
    "version_of",
]

_ASKED: Final = frozenset(
    {
        ActionClass.UNKNOWN,
        ActionClass.SEND,
        ActionClass.PUBLISH,
        ActionClass.PAY,
        ActionClass.DELETE_OUTSIDE,
        ActionClass.CREDENTIAL,
    }
)
_ROOT_OF_EXAMPLES: Final = "/workspace"


@dataclass(frozen=True)
class Call:
    """One call of a tool, as the hook is asked about it."""

    tool: str
    input: JsonObject = field(hash=False)
    cwd: str
    workspace_root: str


@dataclass(frozen=True)
class Verdict:
    """What becomes of a call, and why. `is_guarded` is false where it may do more than is seen."""

    decision: Decision
    class_: ActionClass
    target: str
    reason: str
    words: str
    quorum: int = 1
    operands: tuple[str, ...] = ()
    is_guarded: bool = True
    writes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExampleFault:
    """An example of a rule that says something else than the rule does."""

    rule: int
    example: str
    list: Literal["match", "notMatch"]


@dataclass(frozen=True)
class _Judged:
    effect: Effect
    decision: Decision
    quorum: int
    rule: Rule | None


def judge(policy: Policy, call: Call) -> Verdict:
    """Decides about a call: each effect by itself, the strictest decision for the whole."""
    effects = _effects(call)
    judged = [_judge_effect(policy, call.tool, each) for each in effects]
    decision = strictest(each.decision for each in judged)
    worst = max(
        (each for each in judged if each.decision is decision),
        key=lambda each: each.effect.class_.severity,
    )
    most_severe = max((each.effect for each in judged), key=lambda each: each.class_.severity)
    named = worst.effect if decision is not Decision.ALLOW else most_severe
    runs_code = any(each.class_ is ActionClass.EXECUTE for each in effects)
    return Verdict(
        decision=decision,
        class_=named.class_,
        target=named.target,
        reason=str(named.reason) if worst.rule is None else f"{decision}Rule",
        words=words_of(named, decision, worst.rule is not None),
        quorum=max(each.quorum for each in judged),
        operands=_united(each.operands for each in effects),
        is_guarded=not (runs_code and (policy.egress or policy.secret_refs)),
        writes=_united(each.writes for each in effects),
    )


def check_examples(rules: tuple[Rule, ...]) -> list[ExampleFault]:
    """Finds examples that are wrong: of `match` that a rule misses, of `notMatch` that it hits."""
    faults = []
    for index, rule in enumerate(rules):
        faults += [
            ExampleFault(index, each, "match") for each in rule.match if not _hits(rule, each)
        ]
        faults += [
            ExampleFault(index, each, "notMatch") for each in rule.not_match if _hits(rule, each)
        ]
    return faults


def _effects(call: Call) -> tuple[Effect, ...]:
    if call.tool != "Bash":
        return (effect_of(call.tool, call.input, call.cwd, call.workspace_root),)
    command = call.input.get("command")
    return effects_of(command if isinstance(command, str) else "", call.cwd, call.workspace_root)


def _judge_effect(policy: Policy, tool: str, effect: Effect) -> _Judged:
    matching = [each for each in policy.rules if _matches(each, tool, effect)]
    if effect.class_ is ActionClass.UNKNOWN and _has_narrow_limits(policy):
        # Allowing Bash as a whole would let a command pass that hides what another rule stops.
        matching = [each for each in matching if not (each.tool and _is_allow(each))]
    if not matching:
        decision = default_of(policy, effect.class_)
        return _Judged(effect, decision, policy.quorum if decision is Decision.ASK else 1, None)
    decision = strictest(each.decision for each in matching)
    deciding = [each for each in matching if each.decision is decision]
    quorum = max((each.quorum or policy.quorum) for each in deciding)
    return _Judged(effect, decision, quorum if decision is Decision.ASK else 1, deciding[0])


def default_of(policy: Policy, class_: ActionClass) -> Decision:
    """What becomes of a class that no rule speaks of."""
    if class_ in _ASKED:
        return Decision.ASK
    if class_ is ActionClass.NETWORK and not policy.egress:
        return Decision.ASK
    return Decision.ALLOW


def _has_narrow_limits(policy: Policy) -> bool:
    return any(
        each.argv or each.host or each.class_ for each in policy.rules if not _is_allow(each)
    )


def _is_allow(rule: Rule) -> bool:
    return rule.decision is Decision.ALLOW


def _matches(rule: Rule, tool: str, effect: Effect) -> bool:
    if rule.tool:
        return rule.tool == tool
    if rule.mcp_tool:
        if rule.mcp_tool.endswith("*"):
            return tool.startswith(rule.mcp_tool[:-1])
        return tool == rule.mcp_tool
    if rule.class_ is not None:
        return rule.class_ is effect.class_
    if rule.host:
        return _matches_host(rule.host, effect.host)
    if _is_allow(rule):
        return effect.argv[: len(rule.argv)] == rule.argv
    return begins_with(effect.argv, rule.argv)


def _matches_host(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def begins_with(argv: tuple[str, ...], prefix: tuple[str, ...]) -> bool:
    """Whether a command begins with the words of a rule that restricts it.

    The program may be named by its path, and options may stand between the words, each with a
    value or without: `git -C /srv push` begins with `git push`. A rule that allows is compared
    word by word instead, for here too much is found rather than too little.
    """
    if not argv or argv[0].rsplit("/", 1)[-1] != prefix[0].rsplit("/", 1)[-1]:
        return False
    places = {1}
    for word in prefix[1:]:
        places = {
            after + 1
            for place in places
            for after in _after_options(argv, place)
            if after < len(argv) and argv[after] == word
        }
    return bool(places)


def _after_options(argv: tuple[str, ...], place: int) -> set[int]:
    """Places that can be reached by passing options, each with one value or none."""
    found = {place}
    waiting = [place]
    while waiting:
        here = waiting.pop()
        if here >= len(argv) or not argv[here].startswith("-"):
            continue
        for after in (here + 1, here + 2):
            if after not in found:
                found.add(after)
                waiting.append(after)
    return found


def _hits(rule: Rule, example: str) -> bool:
    """Whether a rule matches its example: a command, or the tool or host that the rule is about."""
    if rule.tool or rule.mcp_tool:
        return _matches(rule, example, Effect(ActionClass.UNKNOWN, Reason.UNKNOWN_TOOL))
    effects = effects_of(example, _ROOT_OF_EXAMPLES, _ROOT_OF_EXAMPLES)
    if rule.host and " " not in example:
        return _matches_host(rule.host, host_of(example))
    if _is_allow(rule):
        return all(_matches(rule, "Bash", each) for each in effects)
    return any(_matches(rule, "Bash", each) for each in effects)


def _united(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group))
