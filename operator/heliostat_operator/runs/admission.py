"""Admission: one ordered list answers why an Execution does not start, and when it will.

Each check is pure and looks at one candidate; the first that blocks names itself. Checks of later
features are further rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from heliostat_core.agents import Agent
from heliostat_core.conditions import (
    AdmittedReason,
    BlockedReason,
    ExecutionCondition,
    FinishedReason,
)
from heliostat_core.executions import (
    AgentSeen,
    BlockedBy,
    Execution,
    ExecutionStatus,
    Timeout,
)
from heliostat_core.names import BUDGETS_ANNOTATION, OWNER_ANNOTATION
from heliostat_core.schedules.fires import end_of_blackouts
from heliostat_core.schedules.status import SchedulePause
from heliostat_google.problems import SecretProblem
from heliostat_operator.builders.run_secrets import missing_parameters, too_long
from heliostat_operator.gateway.ledgers import AgentSum
from heliostat_operator.model.effects import (
    Charge,
    HoldExecution,
    SnapshotAgent,
)
from heliostat_operator.runs.decisions import Decision
from heliostat_operator.runs.observations import Observation, SlotStatus
from heliostat_operator.runs.retries import Finish
from heliostat_operator.runs.status import (
    Stamp,
    compute_finished,
    compute_running,
    compute_starting,
    new_attempt,
    with_attempt,
    with_blocks,
    with_condition,
)
from heliostat_operator.settings import OperatorSettings


@dataclass(frozen=True)
class Candidate:
    """All that admission looks at."""

    execution: Execution
    agent: Agent | None
    slots: SlotStatus
    now: datetime
    pause: AgentSum | None = None  # what the gateway says of an Agent that it has paused
    secret_problem: SecretProblem | None = None  # why a secret of Secret Manager can't be had
    terminating: bool = False  # whether the namespace is being deleted


Check = Callable[[Candidate], BlockedBy | None]


def _agent_exists(candidate: Candidate) -> BlockedBy | None:
    if candidate.agent is not None:
        return None
    name = candidate.execution.spec.agent_ref.name
    return BlockedBy(
        reason=BlockedReason.AGENT_NOT_FOUND,
        message=f"There is no Agent {name!r} in this namespace yet. Apply it; the Execution starts "
        "when it appears.",
    )


def _schedule_has_decided(candidate: Candidate) -> BlockedBy | None:
    if not candidate.execution.is_offer:
        return None
    return BlockedBy(
        reason=BlockedReason.NOT_DUE,
        message="The schedule has not decided yet what becomes of this time. To start a run now, "
        "run the Agent by hand.",
    )


def _agent_not_suspended(candidate: Candidate) -> BlockedBy | None:
    agent = candidate.agent
    if agent is None or not agent.spec.suspend:
        return None
    return BlockedBy(
        reason=BlockedReason.AGENT_SUSPENDED,
        message=f"Agent {agent.metadata.name!r} is suspended. Set spec.suspend to false.",
    )


def _schedule_not_paused(candidate: Candidate) -> BlockedBy | None:
    pause = schedule_pause(candidate.execution, candidate.agent)
    if pause is None:
        return None
    return BlockedBy(reason=BlockedReason.SCHEDULE_PAUSED, message=pause.message)


def _no_blackout(candidate: Candidate) -> BlockedBy | None:
    end = end_of_blackout(candidate.execution, candidate.agent, candidate.now)
    if end is None:
        return None
    return BlockedBy(
        reason=BlockedReason.BLACKOUT,
        message="A blackout of the schedule holds. It starts afterwards; to start one now, run the "
        "Agent by hand.",
        estimated_time=end,
    )


def _agent_not_paused(candidate: Candidate) -> BlockedBy | None:
    agent, pause = candidate.agent, candidate.pause
    if agent is None or pause is None:
        return None
    meta = agent.metadata
    since = f" since {pause.since.isoformat()}" if pause.since else ""
    here = f"POST /admin/agents/{meta.namespace}/{meta.name}/resume on the gateway"
    request = pause.resume_with[:400] or here
    remedy = f"Look at that run; an admin lets the Agent go on with {request}."
    return BlockedBy(
        reason=BlockedReason.AGENT_PAUSED,
        message=f"The gateway refuses the model calls of Agent {meta.name!r}{since}: "
        f"{pause.reason[:400]} {remedy}",
    )


def _secrets_can_be_had(candidate: Candidate) -> BlockedBy | None:
    problem = candidate.secret_problem
    return block_of(problem) if problem is not None else None


def block_of(problem: SecretProblem) -> BlockedBy:
    """What a secret that can't be had says in a status."""
    return BlockedBy(reason=problem.reason.value, message=problem.message[:1024])


def _namespace_stays(candidate: Candidate) -> BlockedBy | None:
    return NAMESPACE_TERMINATING if candidate.terminating else None


def _has_a_slot(candidate: Candidate) -> BlockedBy | None:
    return slot_block(candidate.slots)


CHAIN: tuple[Check, ...] = (
    _namespace_stays,  # nothing can be made in it
    _agent_exists,  # nothing to run yet
    _schedule_has_decided,  # the words of the schedule's own receipt follow
    _agent_not_suspended,  # the owner said wait
    _schedule_not_paused,  # a run of a schedule that stands still
    _no_blackout,  # a run of a schedule, later
    _agent_not_paused,  # its calls would be refused
    _secrets_can_be_had,  # it would start without what it needs
    _has_a_slot,  # the limits of the Agent, the namespace and the operator
)


RESUMING: tuple[Check, ...] = (
    _namespace_stays,
    _agent_exists,
    _agent_not_suspended,
    _agent_not_paused,
    _secrets_can_be_had,
    _has_a_slot,
)
"""What a run that waited for people is held back by before it goes on: not by its schedule, which
let it begin."""


def first_block(candidate: Candidate, chain: Sequence[Check] = CHAIN) -> BlockedBy | None:
    """The first check that blocks, or None when the Execution may start."""
    return next((found for check in chain if (found := check(candidate)) is not None), None)


def candidate_of(execution: Execution, seen: Observation, now: datetime) -> Candidate:
    """What the checks look at."""
    return Candidate(
        execution,
        seen.agent,
        seen.slots,
        now,
        seen.pause,
        seen.vaulted.problem,
        seen.terminating,
    )


def charge_of(execution: Execution, agent: Agent) -> Charge:
    """On whom the model calls of a run are booked: an Execution's own owner comes before its
    Agent's; budgets are the Agent's alone."""
    of_agent = agent.metadata.annotations
    owner = execution.metadata.annotations.get(OWNER_ANNOTATION) or of_agent.get(OWNER_ANNOTATION)
    named = of_agent.get(BUDGETS_ANNOTATION, "").split(",")
    budgets = tuple(dict.fromkeys(each.strip() for each in named if each.strip()))
    return Charge(owner or "", budgets)


def schedule_pause(execution: Execution, agent: Agent | None) -> SchedulePause | None:
    """Why its schedule stands still, where it does."""
    if agent is None or not execution.is_scheduled or agent.status.schedule is None:
        return None
    return agent.status.schedule.paused


def end_of_blackout(execution: Execution, agent: Agent | None, now: datetime) -> datetime | None:
    """When the blackouts that hold now are over; None where none holds."""
    schedule = agent.spec.schedule if agent else None
    if schedule is None or not execution.is_scheduled:
        return None
    return end_of_blackouts(schedule, now)


def is_held_by_schedule(execution: Execution, agent: Agent | None, now: datetime) -> bool:
    """Whether it takes no slot."""
    return (
        execution.is_offer
        or schedule_pause(execution, agent) is not None
        or end_of_blackout(execution, agent, now) is not None
    )


# ---- slots -----------------------------------------------------------------------------------

NAMESPACE_TERMINATING = BlockedBy(
    reason=BlockedReason.NAMESPACE_TERMINATING,
    message="This namespace is being deleted: nothing can be started in it. Make the Execution in "
    "another one.",
)

_SHORTEST_WAIT = 30.0
_LONGEST_WAIT = 300.0
_STEPS = (1000, 500, 100, 50, 10)


def slot_block(slots: SlotStatus, *, admitted: bool = False) -> BlockedBy | None:
    """Which limit keeps a run from starting; None where it has a slot. One that was admitted counts
    among those of its Agent already."""
    if slots.granted:
        return None
    of_agent = None if admitted else _agent_block(slots)
    of_all = _total_block(slots) if slots.total.is_full else None
    return of_agent or of_all or _namespace_block(slots) or _total_block(slots)


def _agent_block(slots: SlotStatus) -> BlockedBy | None:
    use = slots.agent
    if not use.is_full:
        return None
    stalled = f", {use.stalled} of them with a pod that can't start" if use.stalled else ""
    return BlockedBy(
        reason=BlockedReason.AGENT_CONCURRENCY,
        message=f"This Agent has {use.taken} of its {use.limit} Executions at once{stalled}; "
        f"{_ahead(slots)} Raise spec.maxConcurrentExecutions, or wait.",
    )


def _namespace_block(slots: SlotStatus) -> BlockedBy | None:
    use = slots.namespace
    if use.is_full:
        return BlockedBy(
            reason=BlockedReason.NAMESPACE_CONCURRENCY,
            message=f"{use.taken} Executions of this namespace run or start, of {use.limit} that a "
            f"namespace may have at once; {_ahead(slots)} Wait, or have an admin raise the "
            "operator's limit for namespaces.",
        )
    if use.is_clogged:
        return BlockedBy(
            reason=BlockedReason.NAMESPACE_CONCURRENCY,
            message=f"{use.stalled} Executions of this namespace have pods that can't start; no "
            f"more are tried until one of them can or ends; {_ahead(slots)} See "
            "status.blockedBy of those that are Starting.",
        )
    return None


def _total_block(slots: SlotStatus) -> BlockedBy:
    use = slots.total
    return BlockedBy(
        reason=BlockedReason.TOTAL_CONCURRENCY,
        message=f"{use.taken} Executions run or start in all namespaces, of {use.limit} that may "
        f"at once; {_ahead(slots)} Namespaces take turns. Wait, or have an admin raise the "
        "operator's limit.",
    )


def _ahead(slots: SlotStatus) -> str:
    """Rounded: each step of a long queue would else be a write of every status in it."""
    more = next((each for each in _STEPS if slots.ahead > each), None)
    count = f"more than {more}" if more else str(slots.ahead)
    verb = "waits" if slots.ahead == 1 else "wait"
    return f"{count} of this namespace {verb} before this one."


def slot_patience(ahead: int) -> float:
    """A slot that becomes free wakes whoever gets it; a look at all the others every half a minute
    would cost more, the more of them there are."""
    return min(max(_SHORTEST_WAIT, ahead / 2), _LONGEST_WAIT)


# ---- the decision --------------------------------------------------------------------------------


def decide_admission(
    execution: Execution,
    status: ExecutionStatus,
    seen: Observation,
    stamp: Stamp,
    settings: OperatorSettings,
) -> Decision:
    refused = _refusal(execution, seen.agent, stamp.now)
    if refused is not None:
        return _refuse(status, stamp, refused)
    status = _with_agent_seen(status, seen.agent)
    block = first_block(candidate_of(execution, seen, stamp.now))
    if block is not None or seen.agent is None:
        return _wait_for_admission(execution, status, block, stamp, seen.slots.ahead)
    limits = seen.agent.spec.limits
    attempt = new_attempt(execution, 1, limits.timeout_seconds, stamp.now, settings)
    words = too_long(execution, seen.agent.spec, attempt, settings, seen.vaulted.values)
    if words is not None:
        return _refuse(status, stamp, Finish(FinishedReason.PROMPT_TOO_LONG, words))
    status = with_condition(
        status, stamp, ExecutionCondition.ADMITTED, "True", AdmittedReason.ADMITTED
    )
    timeout = Timeout(
        effective_seconds=limits.timeout_seconds, source="Agent spec.limits.timeoutSeconds"
    )
    status = compute_starting(status, stamp).model_copy(update={"timeout": timeout})
    charge = charge_of(execution, seen.agent)
    freeze = SnapshotAgent(seen.agent.spec, seen.agent.metadata.uid, charge)
    return Decision(with_attempt(status, attempt), (HoldExecution(), freeze), 0)


def _refuse(status: ExecutionStatus, stamp: Stamp, refused: Finish) -> Decision:
    """Nothing ran; what is left is to let it go, in a step of its own."""
    return Decision(
        compute_finished(status, stamp, False, refused.reason, refused.message), again_after=0
    )


def _refusal(execution: Execution, agent: Agent | None, now: datetime) -> Finish | None:
    """What makes it pointless to wait any longer."""
    known = execution.status.agent
    name = execution.spec.agent_ref.name
    if known is not None and (agent is None or agent.metadata.uid != known.uid):
        return Finish(
            FinishedReason.AGENT_DELETED,
            f"Agent {name!r} was deleted before this Execution was admitted. Make a new Execution.",
        )
    deadline = execution.spec.deadline_time
    if deadline is not None and now >= deadline:
        return Finish(
            FinishedReason.DEADLINE_PASSED,
            f"It was not admitted by its deadlineTime, {deadline.isoformat()}.",
        )
    missing = missing_parameters(agent.spec.prompt, execution.spec) if agent else []
    if missing:
        return Finish(
            FinishedReason.PROMPT_INVALID,
            f"The prompt of Agent {name!r} asks for {', '.join(missing)}. Make a new Execution "
            "that gives it in spec.parameters.",
        )
    return None


def _with_agent_seen(status: ExecutionStatus, agent: Agent | None) -> ExecutionStatus:
    if agent is None:
        return status
    seen = AgentSeen(uid=agent.metadata.uid, generation=agent.metadata.generation)
    return status.model_copy(update={"agent": seen})


def _wait_for_admission(
    execution: Execution,
    status: ExecutionStatus,
    block: BlockedBy | None,
    stamp: Stamp,
    ahead: int,
) -> Decision:
    reason = block.reason if block else BlockedReason.AGENT_NOT_FOUND
    message = block.message if block else ""
    status = with_condition(status, stamp, ExecutionCondition.ADMITTED, "False", reason, message)
    status = compute_running(status, stamp, None)
    deadline = execution.spec.deadline_time
    times = (deadline, block.estimated_time if block else None)
    waits = [(each - stamp.now).total_seconds() for each in times if each]
    status = with_blocks(status, *([block] if block else []))
    return Decision(status, again_after=min([*waits, slot_patience(ahead)]))
