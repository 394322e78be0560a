"""Finds in a person's words when something shall happen, after what was said before. Pure."""

from dataclasses import dataclass
from typing import Final

from heliostat_gateway.scripted.designer.clocks import Clock, find_clock
from heliostat_gateway.scripted.designer.recurrences import (
    Recurrence,
    build_schedule,
    find_recurrence,
)
from heliostat_gateway.scripted.designer.revisions import says_nothing, widen_to_change
from heliostat_gateway.wire import JsonObject

USUAL_TIME: Final = "09:00"


@dataclass(frozen=True)
class Timing:
    """When something is to happen, as far as it was said."""

    recurrence: Recurrence
    time: str
    is_assumed: bool
    zone: str

    @property
    def schedule(self) -> JsonObject:
        """An Agent's `spec.schedule`."""
        return build_schedule(self.recurrence, self.time, self.zone)


def take_timing(text: str, zone: str, before: Timing | None) -> tuple[Timing | None, str, str]:
    """When it is to happen, a time of day without days, and the text without those words."""
    recurrence = find_recurrence(text)
    clock = find_clock(text)
    if recurrence is None:
        return _take_time_alone(text, zone, clock, before)
    spans = [recurrence.span, *([clock.span] if clock and recurrence.needs_time else [])]
    return _timing(recurrence, zone, clock, before), "", cut(text, *spans)


def _timing(
    recurrence: Recurrence, zone: str, clock: Clock | None, before: Timing | None
) -> Timing:
    """Of what was not said, that holds which was said before."""
    earlier = before.time if before and before.recurrence.needs_time else ""
    said = clock.time if clock else recurrence.hour or earlier
    return Timing(
        recurrence=recurrence,
        time=said or USUAL_TIME,
        is_assumed=recurrence.needs_time
        and not clock
        and (not earlier or bool(recurrence.hour) or bool(before and before.is_assumed)),
        zone=zone or (before.zone if before else ""),
    )


def _take_time_alone(
    text: str, zone: str, clock: Clock | None, before: Timing | None
) -> tuple[Timing | None, str, str]:
    """A time of day changes a schedule when words say so, or nothing else is said."""
    if clock is None:
        return None, "", text
    changed = widen_to_change(text, clock.span)
    rest = cut(text, changed or clock.span)
    if not changed and not says_nothing(rest):
        return None, "", text
    if before is None or not before.recurrence.needs_time:
        return None, clock.time, rest
    return Timing(before.recurrence, clock.time, False, zone or before.zone), "", rest


def cut(text: str, *spans: tuple[int, int]) -> str:
    """The text without what stands there."""
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return " ".join(text.split())
