"""Decisions are pure: what follows from an ask, from what people said of it, and from the time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from heliostat_core.approvals.approval import Approval, ApprovalState, Decision
from heliostat_core.approvals.reasons import ApprovalReason
from heliostat_core.resources import ManagedFields

API_PREFIX: Final = "heliostat:"
"""Begins the names of persons whom the api knows; the API server lets nobody else use it."""
API_MANAGERS: Final = "heliostat-api"
"""Begins the names under which the api writes."""


@dataclass(frozen=True)
class Requester:
    """Who started the run, in the name that would decide. `by` is None where nobody knows."""

    by: str | None


@dataclass(frozen=True)
class Outcome:
    """What an ask becomes. `counted` are those whose yes counts, whether they are enough or not."""

    state: ApprovalState
    reason: ApprovalReason
    counted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """When a decision was written at the latest, and under the names of which field managers."""

    time: datetime
    managers: frozenset[str]


def decide(approval: Approval, requester: Requester, now: datetime) -> Outcome:
    """What a pending ask becomes now.

    One no refuses, whoever says it. A yes counts if the whole action could be shown, if it was said
    in time and by somebody who may; a quorum is of distinct names that one authority gave, for a
    person may have one name here and another there. Who is late changes nothing.
    """
    spec = approval.spec
    written = read_written(approval.metadata.managed_fields)
    heard = [each for each in spec.decisions if _is_in_time(each, approval, written, now)]
    if any(each.decision == "Deny" for each in heard):
        return Outcome(ApprovalState.DENIED, ApprovalReason.DENIED)
    yes = [each.by for each in heard if _counts(each, approval, requester, written)]
    counted = _largest_channel(yes)
    if len(counted) >= spec.quorum:
        return Outcome(ApprovalState.GRANTED, ApprovalReason.APPROVED, counted[: spec.quorum])
    if now >= spec.expires_time:
        return Outcome(ApprovalState.EXPIRED, ApprovalReason.EXPIRED, counted)
    reason = _waits_for(approval, requester, heard, counted)
    return Outcome(ApprovalState.PENDING, reason, counted)


def _is_in_time(
    decision: Decision, approval: Approval, written: Mapping[str, Written], now: datetime
) -> bool:
    """One of which nobody noted when it was written was perhaps written just now."""
    spec, known = approval.spec, written.get(decision.by)
    said = known.time if known else now
    return decision.digest == spec.action.digest and said < spec.expires_time


def _counts(
    decision: Decision, approval: Approval, requester: Requester, written: Mapping[str, Written]
) -> bool:
    """Whether a yes counts. Names of two authorities can't be compared: the requester may have one
    of each."""
    spec = approval.spec
    if decision.decision != "Approve" or not spec.action.complete:
        return False
    if approval.status.api_only and not _is_of_api(decision, written):
        return False
    if spec.requester_may_approve:
        return True
    by = requester.by
    return by is not None and decision.by != by and is_of_api(decision.by) == is_of_api(by)


def _is_of_api(decision: Decision, written: Mapping[str, Written]) -> bool:
    known = written.get(decision.by)
    return (
        is_of_api(decision.by)
        and known is not None
        and all(each.startswith(API_MANAGERS) for each in known.managers)
    )


def is_of_api(name: str) -> bool:
    """Whether the api gave the name, not the API server."""
    return name.startswith(API_PREFIX)


def _largest_channel(names: Sequence[str]) -> tuple[str, ...]:
    """Those whom the api named, or those whom the API server named: whichever are more."""
    of_api = tuple(each for each in names if is_of_api(each))
    others = tuple(each for each in names if not is_of_api(each))
    return max(of_api, others, key=len)


def _waits_for(
    approval: Approval, requester: Requester, heard: Sequence[Decision], counted: Sequence[str]
) -> ApprovalReason:
    spec = approval.spec
    if not spec.action.complete:
        return ApprovalReason.INCOMPLETE_ACTION
    if not spec.requester_may_approve and requester.by is None:
        return ApprovalReason.REQUESTER_UNKNOWN
    if not heard:
        return ApprovalReason.NOBODY_DECIDED
    return ApprovalReason.QUORUM_MISSING if counted else ApprovalReason.NO_DECISION_COUNTS


def read_written(managed: Iterable[ManagedFields]) -> Mapping[str, Written]:
    """What the API server noted of each decision: when a manager last wrote, and which."""
    found: dict[str, Written] = {}
    for each in managed:
        spec = each.fields_v1.get("f:spec")
        decisions = spec.get("f:decisions") if isinstance(spec, Mapping) else None
        if each.time is None or not isinstance(decisions, Mapping):
            continue
        for key in decisions:
            by = _by_of(str(key))
            if by is None:
                continue
            known = found.get(by, Written(each.time, frozenset()))
            found[by] = Written(min(each.time, known.time), known.managers | {each.manager})
    return found


def _by_of(key: str) -> str | None:
    """The name in a list map's key, such as `k:{"by":"ann"}`."""
    if not key.startswith("k:"):
        return None
    by = json.loads(key[2:]).get("by")
    return by if isinstance(by, str) else None
