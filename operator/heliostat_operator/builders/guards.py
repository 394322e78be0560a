"""The guard of a run: by which rules its actions are allowed, asked about or refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from heliostat_core.agents import AgentSpec, Approvals
from heliostat_core.executions import Execution
from heliostat_core.names import claim_name
from heliostat_core.resources import instant_text
from heliostat_core.worlds import JsonObject
from heliostat_operator.model.effects import Answers, Decided
from heliostat_operator.settings import OperatorSettings
from heliostat_policy.json_values import JsonObject as PolicyObject
from heliostat_policy.rules import Mode, Policy, read_rules, version_of

_BY_PERSONS = ("Manual", "Command", "Dashboard", "Backfill")


@dataclass(frozen=True)
class Guard:
    """What holds for all attempts of a run: it follows from the frozen Agent."""

    mode: Mode
    policy: Policy
    version: str
    workspace: str
    egress: tuple[str, ...]
    unattended: Literal["Refuse", "Ask"] | None
    can_ask: bool


def build_guard(execution: Execution, spec: AgentSpec, settings: OperatorSettings) -> Guard | None:
    """None where no rules apply: a runner of an earlier release would refuse the field."""
    mode = _mode(spec, settings)
    if mode is None:
        return None
    policy = _policy(spec, mode)
    is_kept = spec.workspace.storage.type == "Volume"
    return Guard(
        mode=mode,
        policy=policy,
        version=version_of(policy),
        workspace=claim_name(execution.metadata.name) if is_kept else "",
        egress=tuple(
            f"{each.host}:{port}" for each in spec.workspace.egress for port in each.ports
        ),
        unattended=_unattended(execution, spec),
        can_ask=is_kept,
    )


def _mode(spec: AgentSpec, settings: OperatorSettings) -> Mode | None:
    """Only Claude Code asks a hook before it acts. What an Agent says of approvals holds; where it
    says nothing, the installation does.

    Whoever only observes breaks nothing: an image of the Agent's own may have an older runner.
    """
    if spec.runtime.command is not None:
        return None
    if spec.approvals is not None or settings.approvals_mode == "Enforce":
        return Mode.ENFORCE
    return Mode.OBSERVE if spec.workspace.image is None else None


def _policy(spec: AgentSpec, mode: Mode) -> Policy:
    approvals, workspace = spec.approvals or Approvals(), spec.workspace
    return Policy(
        rules=read_rules([_plain(each.to_json()) for each in approvals.rules]),
        egress=bool(workspace.egress),
        secret_refs=bool(workspace.secret_refs),
        hosts=tuple(each.host for each in workspace.egress),
        quorum=approvals.quorum,
        mode=mode,
    )


def _plain(rule: Mapping[str, object]) -> PolicyObject:
    """A rule as the policy reads it."""
    document: PolicyObject = json.loads(json.dumps(rule))
    return document


def _unattended(execution: Execution, spec: AgentSpec) -> Literal["Refuse", "Ask"] | None:
    """None where a person started the run: they may be there to answer."""
    if execution.spec.trigger.kind in _BY_PERSONS:
        return None
    return (spec.approvals.unattended if spec.approvals else None) or "Refuse"


def guard_document(guard: Guard, answers: Answers) -> JsonObject:
    """The guard as the runner reads it."""
    return {
        "mode": guard.mode.value,
        "policy": guard.policy.to_json(),
        "policyVersion": guard.version,
        "workspace": guard.workspace,
        "egress": guard.egress,
        "unattended": guard.unattended,
        "canAsk": guard.can_ask,
        "asksLeft": answers.asks_left,
        "decided": [_decided(each) for each in answers.decided],
    }


def _decided(answer: Decided) -> JsonObject:
    return {
        "approval": answer.uid,
        "name": answer.name,
        "digest": answer.digest,
        "toolUseId": answer.tool_use_id,
        "decision": answer.decision,
        "reason": answer.reason,
        "receipt": answer.receipt,
        **({"expires": instant_text(answer.expires)} if answer.expires else {}),
    }
