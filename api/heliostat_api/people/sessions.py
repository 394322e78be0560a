"""Sessions: a signed cookie that says who the browser's person is."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from heliostat_api.people.signed_tokens import SignedTokens

LIFETIME: Final = timedelta(days=30)
"""Since the last visit."""
_RENEWAL = timedelta(days=1)
_PURPOSE = "session"
_ID_BYTES = 16


@dataclass(frozen=True)
class Session:
    """Who, and since when this cookie says so."""

    person_id: str
    issued: datetime
    id: str
    """The same for as long as a browser goes on; a session that ended is known by it."""


@dataclass(frozen=True)
class Sessions:
    """Issues and reads cookies."""

    signed_tokens: SignedTokens

    def issue(self, person_id: str, session_id: str = "") -> str:
        """The cookie's value, good for 30 days: of a new session, or of one that goes on."""
        named = {"sub": person_id, "sid": session_id or secrets.token_hex(_ID_BYTES)}
        return self.signed_tokens.seal(_PURPOSE, named, LIFETIME)

    def read(self, cookie: str | None) -> Session | None:
        """None for a cookie that is missing, expired, or not ours."""
        opened = self.signed_tokens.open(_PURPOSE, cookie)
        if opened is None or "sub" not in opened.claims:
            return None
        return Session(opened.claims["sub"], opened.issued, opened.claims.get("sid", ""))

    def is_stale(self, session: Session) -> bool:
        """Whether a visit should renew the cookie, so that its 30 days begin again."""
        return self.signed_tokens.now - session.issued >= _RENEWAL
