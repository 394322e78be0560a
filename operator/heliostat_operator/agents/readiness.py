"""Whether an Agent could run now: pure, over what was seen of its Secrets and its model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from heliostat_core.agents import Agent, AgentStatus, LastExecution
from heliostat_core.conditions import (
    AgentCondition,
    Condition,
    ConditionStatus,
    ReadyReason,
    TriggeredReason,
    set_condition,
)
from heliostat_core.money import micros_from_nanos
from heliostat_core.schedules.faults import never_comes
from heliostat_core.secret_refs import cluster_refs
from heliostat_google.problems import SecretProblem
from heliostat_operator.agents.approval_checks import check_approvals, say_authority
from heliostat_operator.agents.history import Past
from heliostat_operator.approvals.authority import Authority
from heliostat_operator.builders.network_policies import domains_of
from heliostat_operator.gateway.ledgers import ModelAnswer
from heliostat_operator.network.egress_enforcement import EgressEnforcement
from heliostat_operator.schedules.triggers import Setup


@dataclass(frozen=True)
class AgentObservation:
    """`secrets` maps a Secret's name to its keys, or to None when there is none;
    `secret_problem` is why one of Secret Manager can't be had. `model` and `cost_nanos` are None
    when the gateway did not answer, `setup` without a trigger outside."""

    secrets: Mapping[str, frozenset[str] | None]
    model: ModelAnswer | None
    cost_nanos: int | None
    active: int
    last: LastExecution | None
    past: tuple[Past, ...]
    secret_problem: SecretProblem | None = None
    setup: Setup | None = None
    hold: EgressEnforcement = EgressEnforcement.NOTHING
    """What holds its runs to its hosts."""
    authority: Authority = Authority.API_SERVER
    """Who vouches for the names of those who decide on its asks."""


def compute_ready(
    agent: Agent, seen: AgentObservation, now: datetime
) -> tuple[ConditionStatus, str, str]:
    """Status, reason and message of `Ready`; what people can mend comes first."""
    fault = _find_fault(agent, seen, now)
    if fault is not None:
        return "False", *fault
    hosts = _say_hosts(agent, seen) + say_authority(agent, seen.authority)
    if agent.spec.runtime.command is not None:
        message = f"Secrets are there; the command chooses its model.{hosts}"
        return "True", ReadyReason.READY, message
    if seen.model is None:
        return (
            "Unknown",
            ReadyReason.GATEWAY_UNREACHABLE,
            "The gateway does not answer, so nobody knows whether the model is served.",
        )
    if not seen.model.served:
        return "False", ReadyReason.MODEL_UNAVAILABLE, seen.model.message
    provider = seen.model.provider or "unknown"
    message = f"Model {agent.spec.model.name!r} is served by {provider}.{hosts}"
    return "True", ReadyReason.READY, message


def _find_fault(agent: Agent, seen: AgentObservation, now: datetime) -> tuple[str, str] | None:
    """Reason and message of what is wrong with the spec or missing beside it."""
    for ref in cluster_refs(agent.spec.workspace.secret_refs):
        keys = seen.secrets.get(ref.name)
        if keys is None:
            message = f"Secret {ref.name!r} does not exist in this namespace. Make it."
            return ReadyReason.SECRET_MISSING, message
        if ref.key not in keys:
            message = f"Secret {ref.name!r} has no key {ref.key!r}. Add it."
            return ReadyReason.SECRET_MISSING, message
    if seen.secret_problem is not None:
        return seen.secret_problem.reason.value, seen.secret_problem.message
    never = never_comes(agent.spec.schedule, now) if agent.spec.schedule else None
    if never is not None:
        return ReadyReason.SCHEDULE_INVALID, never
    if seen.setup is not None and seen.setup.reason == TriggeredReason.NOT_CONFIGURED:
        return ReadyReason.TRIGGER_MISSING, seen.setup.message
    return check_approvals(agent, seen.authority)


def _say_hosts(agent: Agent, seen: AgentObservation) -> str:
    """Who names hosts should know where nothing keeps its runs to them, or opens them."""
    egress = agent.spec.workspace.egress
    if seen.hold is EgressEnforcement.NOTHING and egress:
        return (
            " Its runs may reach other hosts than those of workspace.egress: nothing enforces it "
            "here."
        )
    if seen.hold is EgressEnforcement.ADDRESSES and any(domains_of(egress)):
        return (
            " Its domains are closed here: there is no egress proxy "
            "(HELIOSTAT_OPERATOR_EGRESS_PROXY_URL)."
        )
    return ""


def compute_agent_status(agent: Agent, seen: AgentObservation, now: datetime) -> AgentStatus:
    """The whole status of an Agent."""
    status, reason, message = compute_ready(agent, seen, now)
    generation = agent.metadata.generation
    conditions = set_condition(
        agent.status.conditions,
        AgentCondition.READY,
        status,
        reason,
        message,
        generation=generation,
        now=now,
    )
    conditions = _with_triggered(agent, conditions, seen.setup, now)
    cost = agent.status.cost_micros
    if seen.cost_nanos is not None:
        cost = micros_from_nanos(seen.cost_nanos)
    return AgentStatus(
        observed_generation=generation,
        conditions=conditions,
        active=seen.active,
        last_execution=seen.last or agent.status.last_execution,
        cost_micros=cost,
        schedule=agent.status.schedule,
    )


def _with_triggered(
    agent: Agent, conditions: tuple[Condition, ...], setup: Setup | None, now: datetime
) -> tuple[Condition, ...]:
    """An Agent without a trigger outside has no such condition; what was said holds until the
    trigger was looked at."""
    if setup is None:
        schedule = agent.spec.schedule
        has_trigger = schedule is not None and schedule.trigger != "Builtin"
        return tuple(
            each for each in conditions if has_trigger or each.type != AgentCondition.TRIGGERED
        )
    return set_condition(
        conditions,
        AgentCondition.TRIGGERED,
        setup.status,
        setup.reason,
        setup.message,
        generation=agent.metadata.generation,
        now=now,
    )
