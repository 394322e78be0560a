"""Checks what a pod asks for: what people are shown is derived here, never taken from its words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from heliostat_core.agents import AgentSpec
from heliostat_core.approvals import Action, ActionClass, Fact
from heliostat_core.conditions import FinishedReason
from heliostat_core.executions import AskState, Execution
from heliostat_core.names import child_name
from heliostat_core.schedules.fires import times_after
from heliostat_operator.builders.guards import Guard, build_guard
from heliostat_operator.builders.run_objects import WORKSPACE
from heliostat_operator.runs.facts import Ended
from heliostat_operator.runs.observations import Observation
from heliostat_operator.runs.results import AskedAction, BrokenAsk
from heliostat_operator.settings import OperatorSettings
from heliostat_policy.actions import (
    CanonicalAction,
    NotCanonical,
    digest_of,
    read_action,
)
from heliostat_policy.classes import ActionClass as Class
from heliostat_policy.classes import Decision as Rule
from heliostat_policy.json_values import JsonValue, dump_canonical
from heliostat_policy.rules import Call, Mode, Verdict, judge
from heliostat_policy.shell.effects import effects_of

MOST_RUN_ASKS = 20
MOST_OPEN_ASKS = 100
"""Runs of an Agent that may wait for people at once: nobody reads more."""
EXPIRE_SECONDS = 86400
_BEFORE_NEXT = timedelta(seconds=5)
"""In which the expired ask ends its run."""
_LONGEST_TARGET = 1024
_TARGETS: Mapping[Class, str] = {
    **dict.fromkeys((Class.NETWORK, Class.SEND, Class.PUBLISH, Class.PAY), "host"),
    **dict.fromkeys((Class.READ, Class.WRITE_INSIDE, Class.DELETE_OUTSIDE), "path"),
}


@dataclass(frozen=True)
class CheckedAsk:
    """An ask that may be put to people. `refused` says why it is denied without them."""

    name: str
    tool_use_id: str
    action: Action
    quorum: int
    expires_time: datetime
    requester_may_approve: bool
    refused: str = ""

    @property
    def digest(self) -> str:
        return self.action.digest


@dataclass(frozen=True)
class _Fault:
    reason: FinishedReason
    message: str


def read_ask(
    execution: Execution, ended: Ended, seen: Observation, now: datetime, settings: OperatorSettings
) -> tuple[Ended, CheckedAsk | None]:
    """How the attempt ended, and what it asks for. An ask that can't be followed is a failure."""
    if ended.cause != "approval":
        return ended, None
    if ended.result is None:  # the session is saved, and asks again without any model call
        words = "The run asked for an approval, and its pod was gone before that was read."
        lost = replace(ended, reason=FinishedReason.POD_LOST, message=words, cause="infrastructure")
        return lost, None
    assert seen.frozen is not None
    found = _check(execution, seen.frozen, ended.result.ask, seen, now, settings)
    if isinstance(found, _Fault):
        failed = replace(ended, reason=found.reason, message=found.message, cause="agent")
        return failed, None
    return ended, found


def _check(
    execution: Execution,
    spec: AgentSpec,
    ask: AskedAction | BrokenAsk | None,
    seen: Observation,
    now: datetime,
    settings: OperatorSettings,
) -> CheckedAsk | _Fault:
    guard = build_guard(execution, spec, settings)
    fault = _cannot_ask(execution, ask, guard)
    if fault is not None:
        return fault
    assert isinstance(ask, AskedAction)
    assert guard is not None
    canonical = ask.action.encode() if ask.action is not None else seen.action
    if canonical is None or not ask.complete:
        return _checked(execution, spec, ask, _incomplete(ask), None, seen, now)
    action = _read(execution, ask, canonical, guard)
    if isinstance(action, _Fault):
        return action
    verdict = judge(guard.policy, Call(action.tool, action.args, action.cwd, WORKSPACE))
    return _checked(execution, spec, ask, _complete(ask, action, verdict), verdict, seen, now)


def _cannot_ask(
    execution: Execution, ask: AskedAction | BrokenAsk | None, guard: Guard | None
) -> _Fault | None:
    """Why this run may not ask at all, or did not say what."""
    if isinstance(ask, BrokenAsk):
        words = f"The runner asked for an approval that can't be read: {ask.problem[:500]}"
        return _Fault(FinishedReason.ASK_INVALID, words)
    if ask is None:
        words = "The runner asked for an approval and did not say for what."
        return _Fault(FinishedReason.ASK_INVALID, words)
    if guard is None or not guard.can_ask or guard.mode is not Mode.ENFORCE:
        words = "This run was not told to ask: it needs spec.approvals and storage of type Volume."
        return _Fault(FinishedReason.ASK_INVALID, words)
    asked = sum(each.cause == "approval" for each in execution.status.attempts)
    if asked >= MOST_RUN_ASKS:
        words = (
            f"The run asked for {MOST_RUN_ASKS} approvals, as many as one may. Have the agent do "
            "less that needs one, or allow it by a rule in spec.approvals."
        )
        return _Fault(FinishedReason.ASK_LIMIT, words)
    return None


def _read(
    execution: Execution, ask: AskedAction, canonical: bytes, guard: Guard
) -> CanonicalAction | _Fault:
    """The action, if its digest is of it and it is of this run under this policy."""
    if digest_of(canonical) != ask.digest:
        return _bypassed("The action that the pod shows is not the one of its digest.")
    try:
        action = read_action(canonical)
    except NotCanonical as error:
        return _bypassed(f"The action that the pod shows is not in canonical form: {error}")
    expected = {
        "execution": (action.execution, execution.metadata.uid),
        "policy": (action.policy, guard.version),
        "workspace": (action.workspace, guard.workspace),
        "egress": (action.egress, guard.egress),
        "tool": (action.tool, ask.tool),
    }
    wrong = [name for name, (given, wanted) in expected.items() if given != wanted]
    if wrong:
        return _bypassed(f"The action that the pod asks for has another {', '.join(wrong)}.")
    return action


def _bypassed(message: str) -> _Fault:
    words = f"{message[:700]} Nothing was asked, and it did not happen. Look at the transcript."
    return _Fault(FinishedReason.GUARD_BYPASSED, words)


def _checked(
    execution: Execution,
    spec: AgentSpec,
    ask: AskedAction,
    action: Action,
    verdict: Verdict | None,
    seen: Observation,
    now: datetime,
) -> CheckedAsk:
    approvals = spec.approvals
    return CheckedAsk(
        name=approval_name(execution, ask.digest),
        tool_use_id=ask.tool_use_id,
        action=action,
        quorum=verdict.quorum if verdict else 1,
        expires_time=expires_time(execution, spec, now),
        requester_may_approve=approvals.requester_may_approve if approvals else True,
        refused=_refusal(verdict, seen),
    )


def _refusal(verdict: Verdict | None, seen: Observation) -> str:
    if verdict is not None and verdict.decision is Rule.REFUSE:
        return "The policy refuses it."
    if seen.open_asks >= MOST_OPEN_ASKS:
        return f"{MOST_OPEN_ASKS} runs of this agent wait for people already; nobody was asked."
    return ""


def approval_name(execution: Execution, digest: str) -> str:
    """Half of the digest names the Approval; what was asked for before and did not happen gets
    the next number."""
    earlier = [
        each
        for each in execution.status.asks or ()
        if each.digest == digest and each.state is not AskState.DONE
    ]
    number = f"-{len(earlier) + 1}" if earlier else ""
    half = digest.removeprefix("sha256:")[:32]
    return child_name(execution.metadata.name, f"{half}{number}")


def expires_time(execution: Execution, spec: AgentSpec, now: datetime) -> datetime:
    """A parked run counts for the schedule's overlap: unless the Agent says how long an ask waits,
    it has ended when the next time comes."""
    given = spec.approvals.expire_seconds if spec.approvals else None
    latest = now + timedelta(seconds=given or EXPIRE_SECONDS)
    if given is not None or not execution.is_scheduled or spec.schedule is None:
        return latest
    following = next(times_after(spec.schedule, now), None)
    if following is None:
        return latest
    return min(latest, max(following - _BEFORE_NEXT, now + timedelta(seconds=1)))


# ---- what people are shown -----------------------------------------------------------------------


def _incomplete(ask: AskedAction) -> Action:
    """The whole action did not come with the ask: people see that it exists, and may deny it."""
    return Action(tool=ask.tool, class_=ActionClass.UNKNOWN, digest=ask.digest, complete=False)


def _complete(ask: AskedAction, action: CanonicalAction, verdict: Verdict) -> Action:
    return Action(
        tool=action.tool,
        class_=ActionClass(verdict.class_.value),
        target=verdict.target[:_LONGEST_TARGET],
        digest=ask.digest,
        facts=tuple(_facts(action, verdict)),
        complete=True,
    )


def _facts(action: CanonicalAction, verdict: Verdict) -> list[Fact]:
    """All that the digest is of, beside the tool and the run, so that whoever wants can compute it;
    and in short what a page shows first."""
    whole: Mapping[str, JsonValue] = {
        "args": action.args,
        "egress": list(action.egress),
        "operands": [{"path": each.path, "sha256": each.sha256} for each in action.operands],
    }
    facts = {name: dump_canonical(value).decode() for name, value in whole.items()}
    plain = {"cwd": action.cwd, "workspace": action.workspace, "policy": action.policy}
    return [
        Fact(name=name, value=value)
        for name, value in {**facts, **plain, **_short(action, verdict)}.items()
    ]


def _short(action: CanonicalAction, verdict: Verdict) -> Mapping[str, str]:
    """Where to and by what, under the name that says which of it the target is."""
    short: dict[str, str] = {}
    name = _TARGETS.get(verdict.class_)
    if name and verdict.target:
        short[name] = verdict.target
    command = action.args.get("command")
    if action.tool == "Bash" and isinstance(command, str):
        commands = [each.argv for each in effects_of(command, action.cwd, WORKSPACE) if each.argv]
        short |= {"argv0": commands[0][0]} if commands else {}
    return short
