"""The member `guard` of the run document: which actions wait for a person, and what was decided."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from ..fields import DocumentError, Fields

if TYPE_CHECKING:
    from heliostat_policy.rules import Policy

_UID = re.compile(r"[A-Za-z0-9-]{0,64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Mode(StrEnum):
    ENFORCE = "Enforce"
    OBSERVE = "Observe"


class Unattended(StrEnum):
    """What an Ask means in a run that no person started."""

    REFUSE = "Refuse"
    ASK = "Ask"


class Choice(StrEnum):
    """How an action was decided; Done: it happened in an earlier attempt."""

    APPROVE = "Approve"
    DENY = "Deny"
    DONE = "Done"


@dataclass(frozen=True)
class Decided:
    """One action of this Execution that was decided."""

    approval: str
    """The uid of the Approval."""
    name: str
    digest: str
    tool_use_id: str
    choice: Choice
    reason: str = ""
    expires: datetime | None = None
    """Until when an approved action may begin."""
    receipt: str = ""


@dataclass(frozen=True)
class GuardTerms:
    """What the operator asks of the guard."""

    mode: Mode
    policy: Policy
    policy_version: str
    workspace: str
    egress: tuple[str, ...]
    unattended: Unattended | None
    """None: a person started the run."""
    can_ask: bool
    asks_left: int
    decided: tuple[Decided, ...] = ()

    @property
    def is_enforced(self) -> bool:
        return self.mode is Mode.ENFORCE

    @property
    def grant(self) -> Decided | None:
        """The one action that this attempt may carry out."""
        return next((each for each in self.decided if each.choice is Choice.APPROVE), None)


def read_guard(fields: Fields) -> GuardTerms | None:
    """Reads the member of the whole document. Raises DocumentError."""
    guard = fields.object_or_none(
        "guard",
        "mode",
        "policy",
        "policyVersion",
        "workspace",
        "egress",
        "unattended",
        "canAsk",
        "asksLeft",
        "decided",
    )
    if guard is None:
        return None
    decided = tuple(_read_decided(item) for item in guard.objects("decided", *_DECIDED))
    if sum(each.choice is Choice.APPROVE for each in decided) > 1:
        raise DocumentError("guard.decided must hold at most one Approve: one action an attempt")
    return GuardTerms(
        mode=Mode(guard.one_of("mode", Mode)),
        policy=_read_policy(guard),
        policy_version=_digest(guard, "policyVersion"),
        workspace=guard.text("workspace", empty=True),
        egress=guard.texts("egress"),
        unattended=_read_unattended(guard),
        can_ask=guard.flag("canAsk"),
        asks_left=guard.count("asksLeft", 0),
        decided=decided,
    )


_DECIDED = (
    "approval",
    "name",
    "digest",
    "toolUseId",
    "decision",
    "reason",
    "expires",
    "receipt",
)


def _read_policy(guard: Fields) -> Policy:
    from heliostat_policy.rules import Policy  # its parser is a third of a start's imports

    try:
        return Policy.from_json(guard.json_object("policy"))
    except ValueError as error:
        raise DocumentError(f"guard.policy must be a policy of the operator: {error}") from error


def _read_unattended(guard: Fields) -> Unattended | None:
    if guard.text_or_none("unattended") is None:
        return None
    return Unattended(guard.one_of("unattended", Unattended))


def _read_decided(item: Fields) -> Decided:
    choice = Choice(item.one_of("decision", Choice))
    return Decided(
        approval=_read_uid(item, choice),
        name=item.text("name"),
        digest=_digest(item, "digest"),
        tool_use_id=item.text("toolUseId", empty=choice is Choice.DONE),
        choice=choice,
        reason=item.text_or_none("reason") or "",
        expires=_read_expiry(item, choice),
        receipt=item.text_or_none("receipt") or "",
    )


def _read_uid(item: Fields, choice: Choice) -> str:
    """It becomes the name of a file."""
    uid = item.text("approval", empty=choice is not Choice.APPROVE)
    if not _UID.fullmatch(uid):
        raise DocumentError(f"{item.path}approval must be the uid of an Approval")
    return uid


def _read_expiry(item: Fields, choice: Choice) -> datetime | None:
    text = item.text_or_none("expires") or ""
    if not text and choice is not Choice.APPROVE:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise DocumentError(f"{item.path}expires must be an instant such as 2026-11-25T17:00:00Z")
    return instant


def _digest(fields: Fields, name: str) -> str:
    text = fields.text(name)
    if not _DIGEST.fullmatch(text):
        raise DocumentError(f"{fields.path}{name} must be sha256: and 64 hexadecimal digits")
    return text
