"""The port of the event log: append-only per audience, bounded, with ids that only grow.

A report is what a screen is told: one line of the log.

An id is at least the time in microseconds at which it was given, so that none is used twice even
when a log has lost its data; a cursor from before the log began is then a gap.

An audience is who hears a report: `person:ID` for the things of one person, `namespace:NAME` for
things without an owner there, `cluster` (admins) for all of those, `approvers:NAME` for asks of
that namespace that need somebody beside the owner, and `conversation:ID` for what is said in one
conversation.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from heliostat_core.worlds import JsonObject

BOUND: Final = 10_000
"""Reports that are kept for each audience, at least."""
SLACK: Final = 1_000
"""How many more may be there: trimming one by one would cost every append."""
MOST_BYTES: Final = 32 * 2**20
"""Of payloads, for each audience: fewer reports are kept where they are long."""
TOTAL_BYTES: Final = 128 * 2**20
"""Of all audiences, with what a report costs beside its payload: then those that were silent for
longest are dropped whole. The bundled Redis has 320 MiB, and the ledger is there too."""
REPORT_BYTES: Final = 512
"""What a report costs beside its payload, roughly: its other fields, its key, its place."""
CONVERSATION: Final = "conversation:"
_PART_OF_CONVERSATIONS: Final = 20


class ReportType(StrEnum):
    """What a report is about; docs/events.md says what its payload holds."""

    AGENT_CHANGED = "agent.changed"
    AGENT_DELETED = "agent.deleted"
    EXECUTION_CHANGED = "execution.changed"
    EXECUTION_OUTPUT = "execution.output"
    EXECUTION_PIECES = "execution.pieces"
    CONVERSATION_CHANGED = "conversation.changed"
    CONVERSATION_DELETED = "conversation.deleted"
    APPROVAL_ASKED = "approval.asked"
    APPROVAL_DECIDED = "approval.decided"
    APPROVAL_EXECUTED = "approval.executed"
    APPROVAL_OUTCOME_UNKNOWN = "approval.outcome_unknown"
    THINGS_CHANGED = "things.changed"
    """Screens ask again for what they read by asking."""
    CHAT = "chat"
    """A conversation's own audience hears of a change of a message, or of a wish to stop."""
    RIGHTS_CHANGED = "rights.changed"
    """Connections, not screens, ask again whose they are."""


@dataclass(frozen=True)
class Report:
    """One thing that happened. `execution` is an Execution's uid, empty where there is none."""

    type: ReportType
    time: datetime
    payload: JsonObject
    correlation_id: str = ""
    execution: str = ""

    @property
    def payload_text(self) -> str:
        """The payload as a log keeps it."""
        return json.dumps(self.payload, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Logged:
    """A report in the log; ids grow by the order of appending and are never used twice."""

    id: int
    report: Report


def read_report(type_: str, time: str, payload: str, correlation_id: str, execution: str) -> Report:
    """A report from the texts that a log keeps."""
    return Report(
        ReportType(type_),
        datetime.fromisoformat(time),
        json.loads(payload),
        correlation_id,
        execution,
    )


@dataclass(frozen=True)
class Bounds:
    """What a log keeps at most: reports and bytes of each audience, bytes of all together."""

    bound: int = BOUND
    slack: int = SLACK
    most_bytes: int = MOST_BYTES
    total_bytes: int = TOTAL_BYTES


USUAL: Final = Bounds()


def kept_of(most_bytes: int) -> int:
    """Bytes that trimming leaves: less than the bound, or each append would trim."""
    return most_bytes * 9 // 10


def bound_of(audience: str, bound: int) -> int:
    """Reports that one audience keeps. Conversations are many, and their documents hold all that
    was said, so that a snapshot is near: they keep a part."""
    return max(1, bound // _PART_OF_CONVERSATIONS) if audience.startswith(CONVERSATION) else bound


@dataclass(frozen=True)
class Slice:
    """Reports after a cursor, in order.

    `has_gap`: something after the cursor was already dropped, so the reader needs a new snapshot.
    `end` is the cursor to go on from.
    """

    reports: tuple[Logged, ...]
    end: int
    has_gap: bool = False


class EventLog(Protocol):
    """One log for all replicas."""

    async def append(self, audience: str, report: Report, key: str = "") -> None:
        """Appends once: a report whose `key` this audience has already heard is left out."""

    async def read(self, audiences: Collection[str], after: int, limit: int = 500) -> Slice:
        """What these audiences heard after the cursor; 0: all that is kept."""

    async def end(self) -> int:
        """The cursor from which on everything is still to come."""

    async def wait(self, audiences: Collection[str], after: int, seconds: float) -> None:
        """Until these audiences may have heard something after the cursor, at most so long."""

    async def forget(self, audience: str) -> None:
        """Drops all that it heard; a cursor from before is a gap."""

    async def erase(self, audience: str) -> None:
        """Drops all that it heard, and that there was such an audience: its name is a person's."""

    async def close(self) -> None:
        """Give connections back."""
