"""Who belongs to a session."""

from dataclasses import dataclass
from typing import Protocol

from heliostat_api.people.person import LOCAL, Person
from heliostat_api.people.sessions import Sessions


class People(Protocol):
    """Finds and welcomes persons."""

    def find(self, cookie: str | None) -> Person | None:
        """The person of a session's cookie; None when it is nobody's."""

    def welcome(self) -> str:
        """The id of somebody who comes without a session."""


@dataclass(frozen=True)
class OnePerson:
    """`heliostat dev`: whoever sits at this machine. The cookie keeps other pages out."""

    sessions: Sessions

    def find(self, cookie: str | None) -> Person | None:
        """The local person, for a cookie of ours."""
        session = self.sessions.read(cookie)
        return LOCAL if session is not None and session.person_id == LOCAL.id else None

    def welcome(self) -> str:
        """Everybody is the same one."""
        return LOCAL.id
