"""What clients send and get where they decide on asks."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from heliostat_api.base.ask_views import ApprovalView
from heliostat_api.base.views import View

MOST_REASON: Final = 1024
Reason = Annotated[str, StringConstraints(max_length=MOST_REASON)]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class ApprovalPage(View):
    """Newest first. `next` is the cursor of older ones; None at the end."""

    items: tuple[ApprovalView, ...]
    next: str | None


class DecideRequest(View):
    """One person's word on what they were shown: `digest` is that of the action on the screen.

    `shownSeconds` is for how long it was on the screen before they decided; it is only counted.
    """

    decision: Literal["approve", "deny"]
    digest: Digest
    reason: Reason = ""
    shown_seconds: Annotated[float | None, Field(ge=0, le=10**7)] = None


class ResolveRequest(View):
    """What a person found out about an action of which nobody knew whether it happened."""

    outcome: Literal["happened", "did_not_happen"]
    reason: Reason = ""


class DenyAllRequest(View):
    """No to all that a run still asks for. `suspendAgent`: its agent starts nothing more, too."""

    execution: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    reason: Reason = ""
    suspend_agent: bool = False


class Decided(View):
    """The decision was taken; reports tell what came of it."""

    status: Literal["accepted"] = "accepted"


class DeniedAll(Decided):
    """`denied` asks were refused."""

    denied: int
