"""Chooses the turn that answers a request and fills in its templates. Pure."""

import hashlib
import json
import re
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from heliostat_json.objects import JsonObject
from heliostat_scripted.conversation import Conversation
from heliostat_scripted.examples import example
from heliostat_scripted.scenario import (
    PLACEHOLDER,
    ErrorSpec,
    Pace,
    Scenario,
    Step,
    Turn,
    TurnRange,
    UsageSpec,
    Variable,
    When,
)


@dataclass(frozen=True)
class Text:
    """A text block."""

    text: str


@dataclass(frozen=True)
class Thinking:
    """A thinking block; its signature is made from its text."""

    text: str


@dataclass(frozen=True)
class ToolUse:
    """A tool call with its finished arguments."""

    id: str
    name: str
    input: JsonObject


@dataclass(frozen=True)
class Wait:
    """Silence for `seconds`; None stands still until the client goes."""

    seconds: float | None


@dataclass(frozen=True)
class Break:
    """The stream breaks: an error event, or a malformed one, or (neither) a cut connection."""

    error: ErrorSpec | None = None
    malformed: bool = False


Action = Text | Thinking | ToolUse | Wait | Break


@dataclass(frozen=True)
class Script:
    """An answer, ready to be played."""

    id: str
    model: str
    actions: tuple[Action, ...]
    usage: UsageSpec
    stop_reason: str
    pace: Pace = field(default_factory=Pace)


@dataclass
class Counters:
    """How often each fault with `times` was played, per execution; the only state there is."""

    played: dict[tuple[str, str, int, int], int] = field(default_factory=dict)
    limit: int = 10_000

    def is_due(self, key: tuple[str, str, int, int], times: int | None) -> bool:
        """Whether the fault happens now; counts it when it does."""
        if times is None:
            return True
        count = self.played.get(key, 0)
        if count >= times:
            return False
        self.played[key] = count + 1
        while len(self.played) > self.limit:
            self.played.pop(next(iter(self.played)))
        return True


def find_turn(scenario: Scenario, conversation: Conversation) -> int | None:
    """Index of the first turn that is for this request."""
    for index, turn in enumerate(scenario.turns):
        if _holds(turn.when, conversation):
            return index
    return None


def build_script(
    scenario: Scenario, turn: Turn, conversation: Conversation, steps: tuple[Step, ...]
) -> Script:
    """The answer of `turn` with those of its `steps` that are due."""
    values = _values(scenario.variables, conversation)
    seed = seed_of(conversation, turn.name)
    actions = tuple(_action(step, values, f"{seed}{index:02d}") for index, step in enumerate(steps))
    script = answer(conversation, turn.name, actions, scenario.pace)
    return replace(
        script,
        usage=turn.usage or script.usage,
        stop_reason=turn.stop_reason or script.stop_reason,
    )


def answer(seen: Conversation, name: str, actions: tuple[Action, ...], pace: Pace) -> Script:
    """An answer that states no usage and ends by itself."""
    calls = any(isinstance(action, ToolUse) for action in actions)
    return Script(
        id=f"msg_{seed_of(seen, name)}",
        model=seen.model,
        actions=actions,
        usage=counted_usage(seen.characters, actions),
        stop_reason="tool_use" if calls else "end_turn",
        pace=pace,
    )


def counted_usage(characters: int, actions: tuple[Action, ...]) -> UsageSpec:
    """Usage of a turn that states none: a token for each four characters, rounded up."""
    return UsageSpec(input=-(-characters // 4), output=-(-visible(actions) // 4))


def visible(actions: tuple[Action, ...]) -> int:
    """Characters that an answer shows."""
    return sum(len(shown(action)) for action in actions)


def shown(action: Action) -> str:
    """What of an action reaches the client as text or JSON."""
    if isinstance(action, Text | Thinking):
        return action.text
    return json.dumps(action.input, ensure_ascii=False) if isinstance(action, ToolUse) else ""


def _holds(when: When, seen: Conversation) -> bool:
    texts = (
        (when.model, seen.model),
        (when.system, seen.system),
        (when.prompt, seen.prompt),
        (when.said, seen.said),
        (when.result, seen.result),
    )
    return (
        _turn_holds(when.turn, seen.turn)
        and all(pattern is None or re.search(pattern, text) for pattern, text in texts)
        and when.result_error in (None, seen.result_error)
        and when.last_tool in (None, seen.last_tool)
        and seen.offers.issuperset(when.offers)
    )


def _turn_holds(wanted: int | TurnRange | None, turn: int) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return wanted == turn
    return wanted.first <= turn and (wanted.last is None or turn <= wanted.last)


def _values(variables: dict[str, Variable], seen: Conversation) -> dict[str, str]:
    values = {
        "prompt": seen.prompt,
        "said": seen.said,
        "result": seen.result,
        "turn": str(seen.turn),
        "model": seen.model,
        "cwd": seen.cwd,
        "json": json.dumps(example(seen.schema)) if seen.schema else "{}",
    }
    sources = {**values, "system": seen.system}
    return values | {name: _capture(v, sources[v.source]) for name, v in variables.items()}


def _capture(variable: Variable, source: str) -> str:
    found = re.search(variable.pattern, source)
    if found is None:
        return variable.default
    return found.group(1 if found.re.groups else 0) or variable.default


def _action(step: Step, values: dict[str, str], call_id: str) -> Action:
    if step.text is not None:
        return Text(_filled_text(step.text, values))
    if step.thinking is not None:
        return Thinking(_filled_text(step.thinking, values))
    if step.tool is not None:
        arguments = {name: _filled(value, values) for name, value in step.tool.input.items()}
        return ToolUse(f"toolu_{call_id}", step.tool.name, arguments)
    if step.delay is not None or step.stall:
        return Wait(step.delay)
    return Break(step.error, malformed=bool(step.bad_json))


def _filled(value: JsonValue, values: dict[str, str]) -> JsonValue:
    if isinstance(value, str):
        return _filled_text(value, values)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, values) for name, item in value.items()}
    return value


def _filled_text(text: str, values: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values[found.group(1)], text)


def seed_of(seen: Conversation, name: str) -> str:
    """Ids are the same for the same request, and differ from turn to turn."""
    facts = json.dumps([seen.model, seen.prompt, seen.said, seen.result, seen.turn, name])
    return hashlib.sha256(facts.encode()).hexdigest()[:22]
