"""Reports: what a screen is told. Each is one line of the event log."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from heliostat_core.worlds import JsonObject


class ReportType(StrEnum):
    """What a report is about; docs/events.md says what its payload holds."""

    AGENT_CHANGED = "agent.changed"
    AGENT_DELETED = "agent.deleted"
    EXECUTION_CHANGED = "execution.changed"
    EXECUTION_OUTPUT = "execution.output"
    EXECUTION_PIECES = "execution.pieces"
    CONVERSATION_CHANGED = "conversation.changed"
    CONVERSATION_DELETED = "conversation.deleted"
    THINGS_CHANGED = "things.changed"
    """Of what screens read by asking: they ask again."""
    CHAT = "chat"
    """Of a conversation's own audience: a change of one of its messages, or a wish to stop."""
    RIGHTS_CHANGED = "rights.changed"
    """For connections, not for screens: whose they are is asked anew."""


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
