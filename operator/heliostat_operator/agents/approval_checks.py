"""Whether an Agent's asks could be decided as it says: pure checks, the first that fails counts."""

import json

from heliostat_core.agents import Agent, Approvals
from heliostat_core.conditions import ReadyReason
from heliostat_operator.approvals.authority import Authority
from heliostat_policy.rules import InvalidPolicy, check_examples, read_rules


def check_approvals(agent: Agent, authority: Authority) -> tuple[ReadyReason, str] | None:
    """Why the Agent is not ready; None if its approvals are well, or it has none."""
    approvals = agent.spec.approvals
    if approvals is None:
        return None
    fault = _find_fault(approvals)
    if fault is not None:
        return ReadyReason.POLICY_INVALID, fault
    if agent.spec.schedule is not None and approvals.unattended is None:
        return (
            ReadyReason.UNATTENDED_UNDECIDED,
            "It has a schedule, and nobody says what becomes of an ask when no person started the "
            "run. Set spec.approvals.unattended to Refuse or Ask.",
        )
    needs_another = approvals.most_quorum > 1 or not approvals.requester_may_approve
    if authority is Authority.NOBODY and needs_another:
        return (
            ReadyReason.NO_SECOND_APPROVER,
            "It needs another person, and the embedded world is one person's. Set "
            "spec.approvals.quorum to 1 and requesterMayApprove to true, or run it on a cluster.",
        )
    return None


def _find_fault(approvals: Approvals) -> str | None:
    form = json.loads(approvals.model_dump_json(by_alias=True, exclude_none=True))
    try:
        rules = read_rules(form["rules"])
    except InvalidPolicy as error:
        return f"spec.approvals.{error}."
    fault = next(iter(check_examples(rules)), None)
    if fault is None:
        return None
    does = "does not match" if fault.list == "match" else "matches"
    return (
        f"spec.approvals.rules[{fault.rule}] {does} {fault.example[:200]!r}, an example of its "
        f"{fault.list}. Change the rule or the example."
    )


def say_authority(agent: Agent, authority: Authority) -> str:
    """Who sets approvals should know where only the api may approve."""
    if agent.spec.approvals is None or authority is not Authority.API:
        return ""
    return (
        " Only the api may approve its asks: the admission policy heliostat-approvals is not in "
        "force here. Apply manifests/approvals, or upgrade the chart."
    )
