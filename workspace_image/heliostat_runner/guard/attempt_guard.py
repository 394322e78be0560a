"""Opens the guard of an attempt where the run document has rules, and says what follows from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from ..attempt import Attempt
from ..claude import Hooks
from ..conversation import Final
from ..jsonvalue import JsonObject
from ..reasons import Reason, Verdict
from .grants import spend
from .reports import GuardReport


class AttemptGuard(Protocol):
    """What a run of Claude Code needs of its guard."""

    @property
    def bypass(self) -> str: ...
    async def begin(self) -> Hooks | None: ...
    def see(self, event: JsonObject) -> None: ...
    def has_denied(self, tool_use_id: str) -> bool: ...
    def report(self) -> GuardReport: ...


def bypassed(how: str) -> Verdict:
    return Verdict(
        Reason.GUARD_BYPASSED,
        f"The guard of risky actions was passed by: {how}. The run was ended at once. "
        "Look at the transcript for what was done, and at the image for its Claude Code.",
    )


def decide_guarded(guard: AttemptGuard, final: Final | None) -> Verdict | None:
    """What the guard makes of a process's end; None where it has no part in it."""
    if guard.bypass:
        return bypassed(guard.bypass)
    if final is None or final.stop_reason != "tool_deferred":
        return None
    ask = guard.report().ask
    if ask is None or ask.tool_use_id != final.deferred_call:
        return bypassed(f"the call {final.deferred_call} was deferred without the guard's hook")
    return Verdict(
        Reason.AWAITING_APPROVAL,
        f"An action waits for a person's decision: {ask.preview[:200]}",
    )


def remarks_of(report: GuardReport) -> list[str]:
    """Sentences for the message of the result. How many were denied, the operator says."""
    if not report.unused:
        return []
    return [f"The approved action was not carried out ({report.unused})."]


@asynccontextmanager
async def guard_of(attempt: Attempt) -> AsyncIterator[AttemptGuard | None]:
    """The guard while Claude Code runs; None where the run document has no rules."""
    terms = attempt.document.guard
    if terms is None:
        yield None
        return
    from .guard import Guard, Surroundings  # its server and parser are loaded where they are needed

    document, settings = attempt.document, attempt.settings
    guard = Guard(
        terms,
        Surroundings(
            execution=document.uid,
            workspace=settings.workspace,
            allow=document.allow,
            deny=document.deny,
            key=attempt.key,
            spend=lambda approval: spend(settings.state_dir, approval),
            mask=attempt.transcript.mask,
            note=attempt.transcript.note,
            clock=lambda: datetime.now(UTC),
        ),
    )
    await guard.open()
    try:
        yield guard
    finally:
        guard.close()
