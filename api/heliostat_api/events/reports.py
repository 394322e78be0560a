"""Reports: what a screen is told. Each is one line of the event log."""

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


@dataclass(frozen=True)
class Report:
    """One thing that happened. `execution` is an Execution's uid, empty where there is none."""

    type: ReportType
    time: datetime
    payload: JsonObject
    correlation_id: str = ""
    execution: str = ""


@dataclass(frozen=True)
class Logged:
    """A report in the log; ids grow by the order of appending and are never used twice."""

    id: int
    report: Report
