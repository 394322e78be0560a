"""What tells who calls, and whether they may call this often."""

from dataclasses import dataclass

from heliostat_api.people.authentication import People
from heliostat_api.people.repository import Register
from heliostat_api.people.sessions import Sessions
from heliostat_api.web.limits import Limits


@dataclass(frozen=True)
class Access:
    """Knows the people, their sessions and their limits."""

    people: People
    sessions: Sessions
    register: Register
    limits: Limits
