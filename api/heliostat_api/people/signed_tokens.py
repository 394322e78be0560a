"""Signed tokens: a browser keeps them for the api and cannot change them; each has an end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import jwt

SECRET_BYTES: Final = 32
"""A secret has at least so many."""
_ALGORITHM = "HS256"


class SecretsError(Exception):
    """The file of secrets is not what it must be; the text is for people."""


@dataclass(frozen=True)
class Opened:
    """What a token says, and when it was signed."""

    claims: Mapping[str, str]
    issued: datetime


class SignedTokens:
    """The first secret signs, all of them verify: so a secret is changed without an interruption.

    Raises SecretsError for none, and for one that could be guessed.
    """

    def __init__(self, secrets: Sequence[bytes], clock: Callable[[], datetime]) -> None:
        if not secrets or any(len(each) < SECRET_BYTES for each in secrets):
            raise SecretsError(f"a secret of sessions must have at least {SECRET_BYTES} characters")
        self._secrets = tuple(secrets)
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The time by the clock that seals are judged by."""
        return self._clock()

    def seal(self, purpose: str, claims: Mapping[str, str], lifetime: timedelta) -> str:
        """One word that `open` understands for the same purpose, as long as it lives."""
        now = self.now
        named = {"aud": f"heliostat-{purpose}", "iat": now, "exp": now + lifetime}
        return jwt.encode({**claims, **named}, self._secrets[0], _ALGORITHM)

    def open(self, purpose: str, text: str | None) -> Opened | None:
        """None for what is missing, expired, changed, or sealed for another purpose."""
        if not text:
            return None
        found = (self._open_with(secret, purpose, text) for secret in self._secrets)
        return next((each for each in found if each is not None), None)

    def _open_with(self, secret: bytes, purpose: str, text: str) -> Opened | None:
        try:
            found = jwt.decode(
                text,
                secret,
                [_ALGORITHM],
                audience=f"heliostat-{purpose}",
                # By our own clock, below.
                options={"require": ["exp", "iat"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        now = self.now
        if int(found["exp"]) <= now.timestamp():
            return None
        claims = {name: each for name, each in found.items() if isinstance(each, str)}
        return Opened(claims, datetime.fromtimestamp(int(found["iat"]), now.tzinfo))


def read_secrets(path: Path) -> tuple[bytes, ...]:
    """One secret a line: the first signs, the others are still believed. Raises SecretsError."""
    try:
        lines = path.read_bytes().split()
    except OSError as error:
        raise SecretsError(f"{path} can't be read: {error.strerror}") from error
    if not 1 <= len(lines) <= 2 or any(len(each) < SECRET_BYTES for each in lines):
        raise SecretsError(
            f"{path} must have one or two lines of at least {SECRET_BYTES} characters each: "
            "the secret that signs, and one that is still believed"
        )
    return tuple(lines)
