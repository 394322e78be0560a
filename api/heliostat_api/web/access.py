"""What tells who calls, and whether they may call this often."""

from collections.abc import Callable
from dataclasses import dataclass

from heliostat_api.people.credentials import People
from heliostat_api.people.sessions import Sessions
from heliostat_api.web.limits import Limits


@dataclass(frozen=True)
class Access:
    """Knows the people, their sessions and their limits."""

    people: People
    sessions: Sessions
    limits: Limits
    reread: Callable[[str], None]
    """Makes it ask the store again, not its memory, whether a person may come in."""
