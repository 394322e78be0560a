"""Which finished Executions may go: pure policy over what an Agent keeps."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from heliostat_core.agents import History


@dataclass(frozen=True)
class Past:
    """A finished, settled Execution; one that is neither is never on the list."""

    name: str
    uid: str
    succeeded: bool
    completed: datetime
    is_recorded: bool = False
    """The api has it, transcript and all."""
    was_skipped: bool = False
    """It never ran: it takes no place of one that failed."""


@dataclass(frozen=True)
class Keeping:
    """How long finished Executions stay.

    `recording` is how long one that is not recorded is waited for, None where nobody records.
    """

    history: History
    recording: timedelta | None = None

    def is_held(self, past: Past, now: datetime) -> bool:
        """Whether it must stay because its record is still to be made."""
        return not past.is_recorded and now < self.held_until(past)

    def held_until(self, past: Past) -> datetime:
        """The last resort: an api that never records must not fill the cluster."""
        return past.completed + (self.recording or timedelta())


def expired(past: Iterable[Past], keeping: Keeping, now: datetime) -> list[Past]:
    """Those beyond the numbers to keep, oldest first, and those older than the ttl."""
    history = keeping.history
    newest = sorted(past, key=lambda each: (each.completed, each.name), reverse=True)
    succeeded = [each for each in newest if each.succeeded][history.successful :]
    ended_badly = [each for each in newest if not each.succeeded]
    failed = [each for each in ended_badly if not each.was_skipped][history.failed :]
    skipped = [each for each in ended_badly if each.was_skipped][history.failed :]
    gone = {each.uid: each for each in (*succeeded, *failed, *skipped)}
    if history.ttl_seconds is not None:
        limit = now - timedelta(seconds=history.ttl_seconds)
        gone.update({each.uid: each for each in newest if each.completed <= limit})
    free = [each for each in gone.values() if not keeping.is_held(each, now)]
    return sorted(free, key=lambda each: (each.completed, each.name))


def next_expiry(past: Iterable[Past], keeping: Keeping, now: datetime) -> float | None:
    """Seconds until the next one is older than the ttl, or None without a ttl.

    One that is held counts by its last resort: nobody tells that it was recorded.
    """
    ttl = keeping.history.ttl_seconds
    if ttl is None:
        return None
    ends = [_end(each, timedelta(seconds=ttl), keeping) for each in past]
    return max(1.0, (min(ends) - now).total_seconds()) if ends else None


def _end(past: Past, ttl: timedelta, keeping: Keeping) -> datetime:
    end = past.completed + ttl
    return end if past.is_recorded else max(end, keeping.held_until(past))
