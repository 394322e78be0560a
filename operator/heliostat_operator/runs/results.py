"""The result document: the only word of the runner that the operator takes.

It arrives as the container's termination message, at most 4096 bytes. docs/runner.md has the
contract; tests hold both sides to one golden file.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import (
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from heliostat_core.approvals.approval import Digest
from heliostat_core.executions import CauseClass, Line
from heliostat_core.resources import Count, Instant, Part

EXIT_REASONS: dict[int, tuple[str, CauseClass]] = {
    10: ("AgentError", "agent"),
    11: ("VerificationFailed", "agent"),
    12: ("TimedOut", "limit"),
    13: ("Stalled", "agent"),
    14: ("RuntimeMissing", "configuration"),
    15: ("ProviderFailed", "infrastructure"),
    16: ("AwaitingApproval", "approval"),
    17: ("GuardBypassed", "agent"),
    143: ("Terminated", "infrastructure"),
}
"""What an exit code of the runner says by itself, when its document is lost with the pod."""


class Transcript(Part):
    path: str = ""
    lines: Count = 0
    stdout_cut: bool = False
    marker: str | None = None


class AskedAction(Part):
    """The action that the pod asks for. `action` is its canonical form, where that is short."""

    tool_use_id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    tool: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    digest: Digest
    complete: bool = False
    action: Annotated[str, StringConstraints(max_length=4096)] | None = None
    bytes: Count = 0
    preview: Annotated[str, StringConstraints(max_length=1024)] = ""


@dataclass(frozen=True)
class BrokenAsk:
    """The pod asks, and how cannot be read."""

    problem: str


class PodReceipt(Part):
    """The pod's word about a claimed action. Committed: it was allowed, and nothing came back."""

    approval: Line
    digest: Digest
    outcome: Literal["Committed", "Done", "Failed"]
    text: str = ""


class WouldAsk(Part):
    """An action that would have been asked about, in an installation that only observes."""

    tool: Annotated[str, StringConstraints(max_length=256)] = ""
    class_: Annotated[str, Field(alias="class", max_length=64)] = ""
    target: Annotated[str, StringConstraints(max_length=1024)] = ""


def _ask_or_its_fault(
    given: JsonValue, read: ValidatorFunctionWrapHandler
) -> AskedAction | BrokenAsk | None:
    if given is None:
        return None
    try:
        ask: AskedAction = read(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return BrokenAsk(f"{'.'.join(map(str, first['loc'])) or 'ask'}: {first['msg']}")
    return ask


def _none_if_unreadable(
    given: JsonValue, read: ValidatorFunctionWrapHandler
) -> tuple[PodReceipt, ...] | None:
    try:
        receipts: tuple[PodReceipt, ...] = read(given)
    except ValidationError:
        return None
    return receipts


def _nothing_if_unreadable(
    given: JsonValue, read: ValidatorFunctionWrapHandler
) -> tuple[WouldAsk, ...]:
    try:
        calls: tuple[WouldAsk, ...] = read(given)
    except ValidationError:
        return ()
    return calls


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
    ask: Annotated[AskedAction | None, WrapValidator(_ask_or_its_fault)] | BrokenAsk = None
    receipts: Annotated[tuple[PodReceipt, ...] | None, WrapValidator(_none_if_unreadable)] = ()
    """None when they can't be read: then nothing is known, as without any document."""
    denied: Count = 0
    would_ask: Annotated[tuple[WouldAsk, ...], WrapValidator(_nothing_if_unreadable)] = ()
    would_ask_count: Count = 0


def parse_result(message: str) -> ResultDocument | None:
    """The document in a termination message, or None when there is no valid one."""
    try:
        document = ResultDocument.model_validate_json(message)
    except ValidationError:
        return None
    failed = document.outcome == "Failed"
    return document if failed == (document.cause is not None) else None
