"""The tick history records how times of a schedule ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from heliostat_core.conditions import TickReason
from heliostat_core.schedules.status import MOST_RECEIPTS, Receipt, ScheduleStatus
from heliostat_operator.schedules.tick_outcomes import End


def with_receipts(state: ScheduleStatus, receipts: Sequence[Receipt]) -> ScheduleStatus:
    """The state with the newest of them."""
    return state.model_copy(update={"recent": tuple(receipts[:MOST_RECEIPTS])})


def receipts_of(
    known: Iterable[Receipt], ends: Iterable[End], now: datetime
) -> tuple[Receipt, ...]:
    """Those that are known and one for each end, newest first. Those in a row that say the same
    share one."""
    recent = list(known)
    for end in ends:
        receipt = _receipt(end, now)
        if recent and _says_the_same(recent[0], receipt):
            recent[0] = _joined(recent[0], receipt)
        else:
            recent.insert(0, receipt)
    return tuple(recent)


def with_refusals(ends: Iterable[End], refused: Mapping[str, str]) -> tuple[End, ...]:
    """The ends, those missed whose Execution the API server refused (name: its words)."""
    return tuple(
        replace(
            end,
            outcome="Missed",
            reason=TickReason.REFUSED,
            message=refused[end.execution_name][:1024],
            execution_name=None,
        )
        if end.execution_name and end.execution_name in refused
        else end
        for end in ends
    )


def _receipt(end: End, now: datetime) -> Receipt:
    return Receipt(
        scheduled_time=end.tick.scheduled,
        outcome=end.outcome,
        reason=end.reason.value,
        message=end.message,
        time=now,
        execution_name=end.execution_name,
    )


def _says_the_same(one: Receipt, other: Receipt) -> bool:
    made = one.execution_name or other.execution_name
    return not made and (one.outcome, one.reason) == (other.outcome, other.reason)


def _joined(one: Receipt, other: Receipt) -> Receipt:
    return one.model_copy(
        update={
            "last_time": other.scheduled_time,
            "count": one.count + 1,
            "message": other.message,
            "time": other.time,
        }
    )
