"""Sessions: a signed cookie that says who the browser's person is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.people.seals import Seals

LIFETIME: Final = timedelta(days=30)
"""Since the last visit."""
_RENEWAL = timedelta(days=1)
_PURPOSE = "session"


@dataclass(frozen=True)
class Session:
    """Who, and since when this cookie says so."""

    person_id: str
    issued: datetime


@dataclass(frozen=True)
class Sessions:
    """Issues and reads cookies."""

    seals: Seals

    def issue(self, person_id: str) -> str:
        """The cookie's value, good for 30 days."""
        return self.seals.seal(_PURPOSE, {"sub": person_id}, LIFETIME)

    def read(self, cookie: str | None) -> Session | None:
        """None for a cookie that is missing, expired, or not ours."""
        opened = self.seals.open(_PURPOSE, cookie)
        if opened is None or "sub" not in opened.claims:
            return None
        return Session(opened.claims["sub"], opened.issued)

    def is_stale(self, session: Session) -> bool:
        """Whether a visit should renew the cookie, so that its 30 days begin again."""
        return self.seals.now - session.issued >= _RENEWAL
