"""What an ask tells people: how it stands, and the command that helps."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Final

from heliostat_core.approvals import Approval, ApprovalReason, ApprovalState
from heliostat_core.resources import instant_text

_LONGEST: Final = 1024
_NAMED: Final = 120  # characters of what the run itself chose, such as a target
_WHOAMI: Final = "$(kubectl auth whoami -o jsonpath={.status.userInfo.username})"
_WAITS: Final[Mapping[str, str]] = {
    ApprovalReason.NOBODY_DECIDED: "Nobody has decided yet.",
    ApprovalReason.QUORUM_MISSING: "{counted} of {quorum} persons said yes.",
    ApprovalReason.NO_DECISION_COUNTS: "Nobody who said yes may decide on this ask{why}.",
    ApprovalReason.INCOMPLETE_ACTION: "The whole action can't be shown: it can only be denied.",
    ApprovalReason.REQUESTER_UNKNOWN: "Another person than the requester must decide, and the "
    "Execution does not say who that is (spec.requestedBy): it can only be denied.",
}
_ENDS: Final[Mapping[str, str]] = {
    ApprovalReason.APPROVED: "Approved by {names}; the run goes on when a slot is free.",
    ApprovalReason.CLAIMED: "Attempt {attempt} of the run holds the grant.",
    ApprovalReason.RECEIVED: "A receipt says that it was done.",
    ApprovalReason.HAPPENED: "A person found out that it took place.",
    ApprovalReason.NO_RECEIPT: "It may have happened: attempt {attempt} was allowed to do it and "
    "left no receipt. It is never repeated by itself. Find out, then: {resolve}",
    ApprovalReason.DENIED: "Denied by {denier}; the action does not take place.",
    ApprovalReason.DID_NOT_HAPPEN: "A person found out that it did not take place.",
    ApprovalReason.EXPIRED: "Not enough persons said yes before {expires}; the action does not "
    "take place. Run the Agent again, or raise its spec.approvals.expireSeconds.",
    ApprovalReason.EXECUTION_CANCELLED: "The run was cancelled; nothing is left to decide.",
    ApprovalReason.EXECUTION_DELETED: "The run was deleted; nothing is left to decide.",
    ApprovalReason.EXECUTION_FINISHED: "The run ended without the answer.",
    ApprovalReason.GRANT_UNUSED: "Attempt {attempt} ended without doing it; nothing happened.",
}


def say_state(approval: Approval) -> str:
    """The message of a status, with the remedy where there is one."""
    words = _WAITS if approval.state is ApprovalState.PENDING else _ENDS
    spec, status = approval.spec, approval.status
    deniers = [each.by for each in spec.decisions if each.decision == "Deny"]
    text = words.get(status.reason, "").format(
        counted=len(status.counted),
        quorum=spec.quorum,
        names=", ".join(map(show, status.counted)),
        denier=show(next(iter(deniers), "")),
        attempt=status.claim.attempt if status.claim else "?",
        expires=_instant(approval),
        resolve=resolve_command(approval),
        why=_why_not(approval),
    )
    return text[:_LONGEST]


def _why_not(approval: Approval) -> str:
    if approval.status.api_only:
        return (
            ": the admission policy heliostat-approvals was not in force, so that only the api may "
            "approve. Decide in the dashboard, or apply manifests/approvals and run it again"
        )
    return ": it must be another than the requester, named in the same way (by the cluster or api)"


def say_event(approval: Approval) -> str:
    """The message of an Event: what is asked, how it stands, and how to decide."""
    action = approval.spec.action
    target = f" to {show(action.target)}" if action.target else ""
    asked = f"{show(action.tool)} ({action.class_}){target}"
    if approval.state is not ApprovalState.PENDING:
        return f"{asked}: {approval.status.message}"[:_LONGEST]
    meta = approval.metadata
    return (
        f"The run asks for {asked}. Look: kubectl -n {meta.namespace} get approval {meta.name} "
        f"-o yaml. Approve or Deny before {_instant(approval)}: {decide_command(approval)}"
    )[:_LONGEST]


def decide_command(approval: Approval) -> str:
    """Approves by kubectl; with Deny in its place it denies."""
    entry = {
        "by": _WHOAMI,
        "decision": "Approve",
        "digest": approval.spec.action.digest,
    }
    return _patch(approval, "/spec/decisions/-", entry)


def resolve_command(approval: Approval) -> str:
    """Says by kubectl that an action took place."""
    return _patch(approval, "/spec/resolution", {"by": _WHOAMI, "outcome": "Happened"})


def _patch(approval: Approval, path: str, value: Mapping[str, str]) -> str:
    """A command for a shell: the caller's name is asked of the API server where it runs."""
    meta = approval.metadata
    patch = json.dumps([{"op": "add", "path": path, "value": value}], separators=(",", ":"))
    asked = "'\"" + _WHOAMI + "\"'"  # out of the single quotes, where the shell runs it
    quoted = f"'{patch.replace(_WHOAMI, asked)}'"
    return f"kubectl -n {meta.namespace} patch approval {meta.name} --type=json -p {quoted}"


def show(text: str) -> str:
    """What a run chose, cut, with hidden and bidirectional characters as their numbers."""
    shown = "".join(
        each if not unicodedata.category(each).startswith(("C", "Zl", "Zp")) else _number(each)
        for each in text[:_NAMED]
    )
    return shown if len(text) <= _NAMED else f"{shown} …"


def _number(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def _instant(approval: Approval) -> str:
    return instant_text(approval.spec.expires_time)
