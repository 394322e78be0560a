"""Decisions are pure: what follows from an ask, from what people said of it, and from the time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from heliostat_core.approvals.approval import Approval, ApprovalState, Decision
from heliostat_core.resources import ManagedFields

API_PREFIX: Final = "heliostat:"
"""Begins the names of persons whom the api knows; the API server lets nobody else use it."""


@dataclass(frozen=True)
class Requester:
    """Who started the run, in the name that would decide. `by` is None where nobody knows."""

    by: str | None


@dataclass(frozen=True)
class Outcome:
    """What an ask becomes. `counted` are those whose yes counts, whether they are enough or not."""

    state: ApprovalState
    reason: str
    counted: tuple[str, ...] = ()


def decide(approval: Approval, requester: Requester, now: datetime) -> Outcome:
    """What a pending ask becomes now.

    One no refuses, whoever says it. A yes counts if the whole action could be shown, if it was said
    in time and by somebody who may; a quorum is of distinct names that one authority gave, for a
    person may have one name here and another there. Who is late changes nothing.
    """
    spec = approval.spec
    heard = list(_in_time(approval))
    if any(each.decision == "Deny" for each in heard):
        return Outcome(ApprovalState.DENIED, "Denied")
    counted = _largest_channel([each.by for each in heard if _counts(each, approval, requester)])
    if len(counted) >= spec.quorum:
        return Outcome(ApprovalState.GRANTED, "Approved", counted[: spec.quorum])
    if now >= spec.expires_time:
        return Outcome(ApprovalState.EXPIRED, "Expired", counted)
    return Outcome(ApprovalState.PENDING, _waits_for(approval, requester, heard, counted), counted)


def _in_time(approval: Approval) -> Iterable[Decision]:
    times = said_times(approval.metadata.managed_fields)
    for each in approval.spec.decisions:
        said = times.get(each.by)
        if each.digest == approval.spec.action.digest and (
            said is None or said < approval.spec.expires_time
        ):
            yield each


def _counts(decision: Decision, approval: Approval, requester: Requester) -> bool:
    spec = approval.spec
    if decision.decision != "Approve" or not spec.action.complete:
        return False
    return spec.requester_may_approve or (requester.by is not None and decision.by != requester.by)


def _largest_channel(names: Sequence[str]) -> tuple[str, ...]:
    """Those whom the api named, or those whom the API server named: whichever are more."""
    of_api = tuple(each for each in names if each.startswith(API_PREFIX))
    others = tuple(each for each in names if not each.startswith(API_PREFIX))
    return max(of_api, others, key=len)


def _waits_for(
    approval: Approval, requester: Requester, heard: Sequence[Decision], counted: Sequence[str]
) -> str:
    spec = approval.spec
    if not spec.action.complete:
        return "IncompleteAction"
    if not spec.requester_may_approve and requester.by is None:
        return "RequesterUnknown"
    if not heard:
        return "NobodyDecided"
    return "QuorumMissing" if counted else "NoDecisionCounts"


def said_times(managed: Sequence[ManagedFields]) -> Mapping[str, datetime]:
    """When each person decided, at the latest: the API server notes when a manager last wrote."""
    times: dict[str, datetime] = {}
    for each in managed:
        spec = each.fields_v1.get("f:spec")
        decisions = spec.get("f:decisions") if isinstance(spec, Mapping) else None
        if each.time is None or not isinstance(decisions, Mapping):
            continue
        for key in decisions:
            by = _by_of(str(key))
            if by is not None:
                times[by] = min(each.time, times.get(by, each.time))
    return times


def _by_of(key: str) -> str | None:
    """The name in a list map's key, such as `k:{"by":"ann"}`."""
    if not key.startswith("k:"):
        return None
    by = json.loads(key[2:]).get("by")
    return by if isinstance(by, str) else None
