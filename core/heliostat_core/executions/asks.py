"""The asks of a run: which actions it asked people for, and how each of them stands."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from heliostat_core.approvals.approval import Digest
from heliostat_core.resources import Line, ObjectName, Part, ShortText


class AskState(StrEnum):
    """How an ask of a run stands, as the run goes by it; its Approval has the whole story."""

    OPEN = "Open"
    GRANTED = "Granted"
    DENIED = "Denied"
    EXPIRED = "Expired"
    DONE = "Done"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    WITHDRAWN = "Withdrawn"


UNRESOLVED = (AskState.OPEN, AskState.GRANTED, AskState.OUTCOME_UNKNOWN)
"""States in which something about the action may still happen."""

MOST_ASKS = 32


class Ask(Part):
    """One action that the run asked a person for."""

    name: Annotated[ObjectName, Field(description="Name of its Approval.")]
    uid: Annotated[Line | None, Field(description="Uid of its Approval, once it was read.")] = None
    digest: Annotated[Digest, Field(description="Of the whole action.")]
    tool_use_id: Annotated[Line, Field(description="The call of the session that waits for it.")]
    attempt: Annotated[int, Field(ge=1, le=1000, description="The attempt that asked.")]
    state: Annotated[AskState, Field(description="How it stands.")] = AskState.OPEN
    claimed_by: Annotated[
        int | None,
        Field(
            ge=1,
            le=1000,
            description="The one attempt that may do it. It stands here before the grant is given.",
        ),
    ] = None
    reason: Annotated[
        str, StringConstraints(max_length=64), Field(description="Why, as one word.")
    ] = ""
    message: Annotated[
        ShortText,
        Field(description="What the agent is told: why it was denied, or what came of it."),
    ] = ""

    @property
    def is_unresolved(self) -> bool:
        return self.state in UNRESOLVED
