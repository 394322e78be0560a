from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from heliostat_runner.claude import Hooks
from heliostat_runner.conversation import Final
from heliostat_runner.guard.attempt_guard import decide_guarded, remarks_of
from heliostat_runner.guard.reports import Ask, GuardReport
from heliostat_runner.jsonvalue import JsonObject
from heliostat_runner.reasons import Reason

ASK = Ask("toolu_1", "Bash", "sha256:" + "d" * 64, b"{}", "Bash: curl x")


@dataclass
class FixedGuard:
    """A guard after its process: how it was passed by, and what it deferred."""

    bypass: str = ""
    told: GuardReport = field(default_factory=GuardReport)

    async def begin(self) -> Hooks | None:
        return None

    def see(self, event: JsonObject) -> None:
        del event

    def has_denied(self, tool_use_id: str) -> bool:
        return not tool_use_id

    def report(self) -> GuardReport:
        return self.told


def make_final(stop_reason: str = "end_turn", deferred: str = "") -> Final:
    return Final(False, "completed", stop_reason, None, "done", (), deferred)


@pytest.mark.parametrize(
    ("guard", "final", "reason"),
    [
        (FixedGuard(), None, None),
        (FixedGuard(), make_final(), None),
        (FixedGuard(told=GuardReport(ASK)), make_final(), None),
        (
            FixedGuard(told=GuardReport(ASK)),
            make_final("tool_deferred", "toolu_1"),
            Reason.AWAITING_APPROVAL,
        ),
        (
            FixedGuard(told=GuardReport(ASK)),
            make_final("tool_deferred", "toolu_2"),
            Reason.GUARD_BYPASSED,
        ),
        (FixedGuard(), make_final("tool_deferred", "toolu_1"), Reason.GUARD_BYPASSED),
        (FixedGuard("how"), make_final(), Reason.GUARD_BYPASSED),
        (
            FixedGuard("how", GuardReport(ASK)),
            make_final("tool_deferred", "toolu_1"),
            Reason.GUARD_BYPASSED,
        ),
    ],
)
def test_what_the_guard_makes_of_an_end(
    guard: FixedGuard, final: Final | None, reason: Reason | None
) -> None:
    verdict = decide_guarded(guard, final)

    assert (verdict.reason if verdict else None) is reason


def test_an_approved_action_that_did_not_begin_is_told() -> None:
    assert remarks_of(GuardReport(denied=3)) == []
    told = remarks_of(GuardReport(unused="changed"))
    assert told == ["The approved action was not carried out (changed)."]
