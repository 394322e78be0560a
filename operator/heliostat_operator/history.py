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


def expired(past: Iterable[Past], history: History, now: datetime) -> list[Past]:
    """Those beyond the numbers to keep, oldest first, and those older than the ttl."""
    newest = sorted(past, key=lambda each: (each.completed, each.name), reverse=True)
    succeeded = [each for each in newest if each.succeeded][history.successful :]
    failed = [each for each in newest if not each.succeeded][history.failed :]
    gone = {each.uid: each for each in (*succeeded, *failed)}
    if history.ttl_seconds is not None:
        limit = now - timedelta(seconds=history.ttl_seconds)
        gone.update({each.uid: each for each in newest if each.completed <= limit})
    return sorted(gone.values(), key=lambda each: (each.completed, each.name))


def next_expiry(past: Iterable[Past], history: History, now: datetime) -> float | None:
    """Seconds until the next one is older than the ttl, or None without a ttl."""
    if history.ttl_seconds is None:
        return None
    ends = [each.completed + timedelta(seconds=history.ttl_seconds) for each in past]
    return max(1.0, (min(ends) - now).total_seconds()) if ends else None
