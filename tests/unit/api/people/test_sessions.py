"""Sessions: 30 days from the last visit, and nobody else's cookie."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from heliostat_api.people.sessions import LIFETIME, Session, Sessions
from heliostat_api.people.signed_tokens import SecretsError, SignedTokens, read_secrets

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = b"s" * 32
NEW_SECRET = b"n" * 32
LATER = NOW + timedelta(hours=1)


def signed_tokens(now: datetime = NOW, *secrets: bytes) -> SignedTokens:
    return SignedTokens(secrets or (SECRET,), lambda: now)


def sessions(now: datetime = NOW, *secrets: bytes) -> Sessions:
    return Sessions(signed_tokens(now, *secrets))


def signed(algorithm: str = "HS256", secret: bytes | str = SECRET, **claims: object) -> str:
    given = {"sub": "guest-1", "aud": "heliostat-session", "iat": NOW, "exp": LATER, **claims}
    return jwt.encode({n: v for n, v in given.items() if v is not None}, secret, algorithm)


def test_a_cookie_says_who_it_is() -> None:
    assert sessions().read(sessions().issue("guest-1", "s")) == Session("guest-1", NOW, "s")


def test_a_cookie_ends_30_days_after_it_was_given() -> None:
    cookie = sessions().issue("guest-1")
    assert sessions(NOW + LIFETIME - timedelta(seconds=1)).read(cookie) is not None
    assert sessions(NOW + LIFETIME).read(cookie) is None


def test_a_visit_renews_a_cookie_that_is_a_day_old() -> None:
    session = Session("guest-1", NOW, "s")
    assert not sessions(NOW + timedelta(hours=23)).is_stale(session)
    assert sessions(NOW + timedelta(days=1)).is_stale(session)


def test_our_own_token_is_read_as_written() -> None:
    assert sessions().read(signed()) == Session("guest-1", NOW, "")


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "no token",
        signed(secret=b"x" * 32),
        signed("none", ""),
        signed(aud="heliostat-sign-in"),
        signed(sub=None),
        signed(exp=None),
        signed(iat=None),
        signed_tokens().seal("sign-in", {"sub": "guest-1"}, LIFETIME),
    ],
    ids=str,
)
def test_a_cookie_that_is_not_ours_is_nobodys(cookie: str | None) -> None:
    assert sessions().read(cookie) is None


def test_a_new_secret_signs_while_the_old_one_is_still_believed() -> None:
    old, both = sessions(NOW, SECRET), sessions(NOW, NEW_SECRET, SECRET)
    assert both.read(old.issue("guest-1")) is not None
    assert old.read(both.issue("guest-1")) is None
    assert sessions(NOW, NEW_SECRET).read(both.issue("guest-1")) is not None
    assert sessions(NOW, NEW_SECRET).read(old.issue("guest-1")) is None


def test_secrets_come_from_the_lines_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_bytes(NEW_SECRET + b"\n" + SECRET + b"\n")
    assert read_secrets(path) == (NEW_SECRET, SECRET)


@pytest.mark.parametrize("text", ["", "short\n", f"{'a' * 32}\nshort", "\n".join(["a" * 32] * 3)])
def test_a_secret_that_could_be_guessed_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets"
    path.write_text(text)
    with pytest.raises(SecretsError, match="one or two lines of at least 32 characters"):
        read_secrets(path)


def test_a_file_of_secrets_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretsError, match=r"none can't be read: No such file"):
        read_secrets(tmp_path / "none")


def test_nobody_signs_with_a_short_secret() -> None:
    with pytest.raises(SecretsError):
        signed_tokens(NOW, b"short")
