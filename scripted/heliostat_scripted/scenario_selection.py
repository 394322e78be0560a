"""Selects the scenario that answers a request, and what it plays: an answer, a fault, or both."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heliostat_scripted.conversation import Conversation
from heliostat_scripted.designer.answers import answer_designer
from heliostat_scripted.faults import FaultName, OrderedFault
from heliostat_scripted.refusals import Refusal, limited_refusal, status_refusal
from heliostat_scripted.scenario import Fault, Scenario, Turn
from heliostat_scripted.script import Break, Counters, Script, build_script, find_turn
from heliostat_scripted.sidecalls import side_answer

PREFIX = "scripted/"


@dataclass(frozen=True)
class SelectedAnswer:
    """Holds an answer and the fault that spoils it."""

    script: Script
    fault: OrderedFault | None = None


@dataclass
class ScenarioSelection:
    """Holds all scenarios, and how often each of their faults was played."""

    scenarios: Mapping[str, Scenario]
    default: str | None = None  # answers names that are no scenario's
    counters: Counters = field(default_factory=Counters)

    def name_of(self, model: str) -> str | None:
        """Finds the scenario that answers a model name; None when none does."""
        name = model.removeprefix(PREFIX)
        if name in self.scenarios:
            return name
        return None if model.startswith(PREFIX) else self.default

    def select(self, name: str, seen: Conversation, execution: str) -> SelectedAnswer | Refusal:
        """Decides what the scenario `name` does with a request of an execution."""
        aside = side_answer(seen)
        if aside is not None:
            return SelectedAnswer(aside)
        scenario = self.scenarios[name]
        if scenario.plays == "designer":
            return SelectedAnswer(answer_designer(seen, scenario.recordings, scenario.pace))
        index = find_turn(scenario, seen)
        if index is None:
            return Refusal(
                400,
                "invalid_request_error",
                f"Scenario {name} has no turn for this request: turn {seen.turn}, "
                f"last tool {seen.last_tool or 'none'}, result {seen.result[:200]!r}.",
            )
        turn: Turn = scenario.turns[index]
        key = (execution, name, index)
        fault: OrderedFault | None = None
        if turn.fault and self.counters.is_due((*key, -1), turn.fault.times):
            spoiled = _of_turn(turn.fault)
            if isinstance(spoiled, Refusal):
                return spoiled
            fault = spoiled
        steps = tuple(
            step
            for position, step in enumerate(turn.steps)
            if not step.is_fault or self.counters.is_due((*key, position), step.times)
        )
        played = SelectedAnswer(build_script(scenario, turn, seen, steps), fault)
        return played if seen.stream else refusal_of_steps(played) or played


def refusal_of_order(fault: OrderedFault) -> Refusal | None:
    """Builds the error answer that a fault orders; None for a fault of the answer itself."""
    status = fault.name.status
    if status is None:
        return None
    if fault.name.is_limited_with_headers:
        return limited_refusal(fault.after_or_default)
    return status_refusal(status)


def refusal_of_steps(played: SelectedAnswer) -> Refusal | None:
    """Turns a whole answer with an error event in it into that error."""
    if played.fault is not None and played.fault.name is FaultName.ERROR_EVENT:
        return Refusal(529, "overloaded_error", "Overloaded")
    for action in played.script.actions:
        if isinstance(action, Break) and action.error is not None:
            return Refusal(529, action.error.type, action.error.message)
    return None


def _of_turn(fault: Fault) -> Refusal | OrderedFault:
    if fault.name is not None:
        ordered = OrderedFault(fault.name, after=fault.after)
        return refusal_of_order(ordered) or ordered
    plain = status_refusal(fault.status or 500)
    return Refusal(
        plain.status,
        fault.type or plain.kind,
        fault.message or plain.message,
        headers=tuple((name.lower(), value) for name, value in fault.headers.items()),
        bad_body=fault.bad_body,
    )
