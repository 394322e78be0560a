"""Finds in a person's words when something shall happen, after what was said before. Pure."""

from dataclasses import dataclass
from typing import Final

from heliostat_gateway.scripted.designer.besides import widen_to_beside
from heliostat_gateway.scripted.designer.clocks import Clock, find_clock
from heliostat_gateway.scripted.designer.recurrences import (
    Recurrence,
    build_schedule,
    find_recurrence,
)
from heliostat_gateway.scripted.designer.revisions import says_nothing, widen_to_change
from heliostat_json.objects import JsonObject

USUAL_TIME: Final = "09:00"
_NOTHING: Final = "\0"


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


@dataclass(frozen=True)
class Taken:
    """What was said of times, and the text without those words."""

    timing: Timing | None
    rest: str
    unplaced: str = ""
    """A time of day without days."""
    is_several: bool = False
    """More times or days were named than an agent has."""


def take_timing(text: str, zone: str, before: Timing | None) -> Taken:
    """When it is to happen."""
    recurrence = find_recurrence(text)
    clock = find_clock(text)
    if recurrence is None:
        return _take_time_alone(text, zone, clock, before)
    timing = _timing(recurrence, zone, clock, before)
    if not recurrence.needs_time:
        return Taken(timing, cut(text, recurrence.span))
    spans = [recurrence.span, *([clock.span] if clock else [])]
    whole = [
        widen_to_beside(_blank(text, *(each for each in spans if each != span)), span)
        for span in spans
    ]
    return Taken(timing, cut(text, *whole), is_several=whole != spans)


def _blank(text: str, *spans: tuple[int, int]) -> str:
    """As long as before, and nothing stands there."""
    for start, end in spans:
        text = f"{text[:start]}{_NOTHING * (end - start)}{text[end:]}"
    return text


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


def _take_time_alone(text: str, zone: str, clock: Clock | None, before: Timing | None) -> Taken:
    """A time of day changes a schedule when words say so, or nothing else is said."""
    if clock is None:
        return Taken(None, text)
    whole = widen_to_beside(text, clock.span)
    changed = widen_to_change(text, whole)
    rest = cut(text, changed or whole)
    if not changed and not says_nothing(rest):
        return Taken(None, text)
    is_several = whole != clock.span
    if before is None or not before.recurrence.needs_time:
        return Taken(None, rest, clock.time, is_several)
    timing = Timing(before.recurrence, clock.time, False, zone or before.zone)
    return Taken(timing, rest, is_several=is_several)


def cut(text: str, *spans: tuple[int, int]) -> str:
    """The text without what stands there."""
    kept, at = "", 0
    for start, end in sorted(spans):
        kept, at = f"{kept}{text[at:start]} ", max(at, end)  # one may reach into the next
    return " ".join(f"{kept}{text[at:]}".split())
