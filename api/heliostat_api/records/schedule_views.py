"""What clients see of schedules."""

from datetime import datetime
from typing import Literal

from heliostat_api.base.views import View, WordsView


class FireView(View):
    """A time of a schedule; `local` is the same instant by the clocks of its zone.

    `note`: AfterGap (clocks skip its time), FirstOfTwo, SecondOfTwo (they show it twice) or
    Blackout (it is skipped; `reason` is the blackout's).
    """

    time: datetime
    local: datetime
    note: Literal["AfterGap", "FirstOfTwo", "SecondOfTwo", "Blackout"] | None
    reason: str


class SchedulePreviewView(View):
    """A schedule in words, and its next times."""

    words: WordsView
    time_zone: str
    fires: tuple[FireView, ...]
