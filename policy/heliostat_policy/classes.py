"""What an action does, and what becomes of it."""

from collections.abc import Iterable
from enum import StrEnum


class ActionClass(StrEnum):
    """What an action does, as far as it can be told before it happens."""

    READ = "Read"
    WRITE_INSIDE = "WriteInside"
    EXECUTE = "Execute"
    NETWORK = "Network"
    SEND = "Send"
    PUBLISH = "Publish"
    PAY = "Pay"
    DELETE_OUTSIDE = "DeleteOutside"
    CREDENTIAL = "Credential"
    UNKNOWN = "Unknown"

    @property
    def severity(self) -> int:
        """Orders classes: where an action does several things, it is named by the most severe."""
        return _BY_SEVERITY.index(self)


_BY_SEVERITY = (
    ActionClass.READ,
    ActionClass.WRITE_INSIDE,
    ActionClass.EXECUTE,
    ActionClass.NETWORK,
    ActionClass.UNKNOWN,
    ActionClass.DELETE_OUTSIDE,
    ActionClass.CREDENTIAL,
    ActionClass.SEND,
    ActionClass.PUBLISH,
    ActionClass.PAY,
)


class Decision(StrEnum):
    """What becomes of an action: it happens, waits for a person, or is refused."""

    ALLOW = "Allow"
    ASK = "Ask"
    REFUSE = "Refuse"

    @property
    def strictness(self) -> int:
        """Orders decisions from Allow to Refuse."""
        return _BY_STRICTNESS.index(self)


_BY_STRICTNESS = (Decision.ALLOW, Decision.ASK, Decision.REFUSE)


def strictest(decisions: Iterable[Decision]) -> Decision:
    """The strictest of several decisions; Allow if there is none."""
    return max(decisions, key=lambda each: each.strictness, default=Decision.ALLOW)
