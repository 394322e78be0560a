"""Sessions: 30 days from the last visit, and nobody else's cookie."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from heliostat_api.people.sessions import LIFETIME, Session, Sessions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = b"s" * 32


def sessions(now: datetime = NOW, secret: bytes = SECRET) -> Sessions:
    return Sessions(secret, lambda: now)


def test_a_cookie_says_who_it_is() -> None:
    assert sessions().read(sessions().issue("guest-1")) == Session("guest-1", NOW)


def test_a_cookie_ends_30_days_after_it_was_given() -> None:
    cookie = sessions().issue("guest-1")
    assert sessions(NOW + LIFETIME - timedelta(seconds=1)).read(cookie) is not None
    assert sessions(NOW + LIFETIME).read(cookie) is None


def test_a_visit_renews_a_cookie_that_is_a_day_old() -> None:
    session = Session("guest-1", NOW)
    assert not sessions(NOW + timedelta(hours=23)).is_stale(session)
    assert sessions(NOW + timedelta(days=1)).is_stale(session)


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "no token",
        sessions(secret=b"x" * 32).issue("guest-1"),
        jwt.encode({"sub": "guest-1", "aud": "heliostat-session", "iat": NOW}, "", "none"),
        jwt.encode({"sub": "guest-1", "aud": "another", "iat": NOW}, SECRET, "HS256"),
        jwt.encode({"aud": "heliostat-session", "iat": NOW}, SECRET, "HS256"),
    ],
)
def test_a_cookie_that_is_not_ours_is_nobodys(cookie: str | None) -> None:
    assert sessions().read(cookie) is None
