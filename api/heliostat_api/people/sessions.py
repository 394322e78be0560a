"""Sessions: a signed cookie that says who the browser's person is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import jwt

COOKIE: Final = "heliostat_session"
LIFETIME: Final = timedelta(days=30)
"""Since the last visit."""
_RENEWAL = timedelta(days=1)
_ALGORITHM = "HS256"
_AUDIENCE = "heliostat-session"


@dataclass(frozen=True)
class Session:
    """Who, and since when this cookie says so."""

    person_id: str
    issued: datetime


class Sessions:
    """Issues and reads cookies with one secret of at least 32 bytes."""

    def __init__(self, secret: bytes, clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._clock = clock

    def issue(self, person_id: str) -> str:
        """The cookie's value, good for 30 days."""
        now = self._clock()
        return jwt.encode(
            {"sub": person_id, "aud": _AUDIENCE, "iat": now, "exp": now + LIFETIME},
            self._secret,
            _ALGORITHM,
        )

    def read(self, cookie: str | None) -> Session | None:
        """None for a cookie that is missing, expired, or not ours."""
        if not cookie:
            return None
        try:
            claims = jwt.decode(
                cookie,
                self._secret,
                [_ALGORITHM],
                audience=_AUDIENCE,
                options={
                    "require": ["sub", "exp", "iat"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError:
            return None
        now = self._clock()
        issued = datetime.fromtimestamp(int(claims["iat"]), now.tzinfo)
        if issued + LIFETIME <= now:
            return None
        return Session(str(claims["sub"]), issued)

    def is_stale(self, session: Session) -> bool:
        """Whether a visit should renew the cookie, so that its 30 days begin again."""
        return self._clock() - session.issued >= _RENEWAL
