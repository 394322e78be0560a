"""The result document: the only word of the runner that the operator takes.

It arrives as the container's termination message, at most 4096 bytes. docs/runner.md has the
contract; tests hold both sides to one golden file.
"""

from typing import Annotated, Literal

from pydantic import Field, ValidationError

from heliostat_core.executions import CauseClass, Line
from heliostat_core.resources import Count, Instant, Part

EXIT_REASONS: dict[int, tuple[str, CauseClass]] = {
    10: ("AgentError", "agent"),
    11: ("VerificationFailed", "agent"),
    12: ("TimedOut", "limit"),
    13: ("Stalled", "agent"),
    14: ("RuntimeMissing", "configuration"),
    15: ("ProviderFailed", "infrastructure"),
    143: ("Terminated", "infrastructure"),
}
"""What an exit code of the runner says by itself, when its document is lost with the pod."""


class Transcript(Part):
    path: str = ""
    lines: Count = 0
    stdout_cut: bool = False
    marker: str | None = None


class ResultDocument(Part):
    """What the container wrote: bounded as the status is, for nobody vouches for its writer."""

    version: Literal[1]
    outcome: Literal["Succeeded", "Failed"]
    reason: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]*$", max_length=64)]
    cause: CauseClass | None = None
    message: str = ""
    result: str = ""
    truncated: bool = False
    session_id: Line | None = None
    resumed: bool = False
    turns: int = 0
    second_attempts: Count = 0
    transcript: Transcript | None = None
    start_time: Instant | None = None
    end_time: Instant | None = None


def parse_result(message: str) -> ResultDocument | None:
    """The document in a termination message, or None when there is no valid one."""
    try:
        document = ResultDocument.model_validate_json(message)
    except ValidationError:
        return None
    failed = document.outcome == "Failed"
    return document if failed == (document.cause is not None) else None
