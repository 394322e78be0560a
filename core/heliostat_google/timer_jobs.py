"""Jobs of Cloud Scheduler, as we have them made."""

from dataclasses import dataclass
from typing import Protocol

from heliostat_core.schedules.timers import Timer


@dataclass(frozen=True)
class TimerJob:
    """It posts `body` to `url` with a token of `account` for `audience`, whenever the timer fires.

    `name` is `projects/P/locations/L/jobs/J`.
    """

    name: str
    description: str
    timer: Timer
    url: str
    body: bytes
    account: str
    audience: str
    is_paused: bool


class TimerJobError(Exception):
    """It did not do what was asked; the text is for people. `may_pass`: by itself, perhaps soon."""

    def __init__(self, message: str, *, may_pass: bool) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class TimerJobs(Protocol):
    """Where jobs are kept; see scheduler.py. Each method raises TimerJobError."""

    async def keep(self, job: TimerJob) -> None:
        """Makes it as given, or mends it; the same again changes nothing."""

    async def remove(self, name: str) -> None:
        """Takes it away, if it is there."""
