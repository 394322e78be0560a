"""Who the api is at the gateway: a key pair of its own, made once and kept."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from heliostat_api.people.secrets import keep_first
from heliostat_core.keys import ADMIN_TOKEN_SECONDS, new_private_key, public_key_id, public_pem
from heliostat_core.person_keys import person_claims, sign_api_token, sign_person_key

PERSON_KEY_SECONDS: Final = 3600
"""Of one answer with all of its steps: it is looked at when a call begins."""


class SigningKeyError(Exception):
    """The file can't serve; the text names it, and never what is in it."""


def read_signing_key(path: Path, *, makes: bool) -> str:
    """The private key of a file as PEM; made where there is none, if wanted.

    Raises SigningKeyError.
    """
    if makes:
        keep_first(path, new_private_key().encode)
    try:
        pem = path.read_text(encoding="ascii")
        public_pem(pem)
    except (OSError, ValueError) as error:
        raise SigningKeyError(f"{path} must hold an Ed25519 private key in PEM form") from error
    return pem


class Identity:
    """Signs in the api's name."""

    def __init__(self, private_pem: str, clock: Callable[[], datetime]) -> None:
        self._private_pem = private_pem
        self._clock = clock
        self._admin_token = ("", 0)

    def admin_token(self) -> str:
        """One that is good for half its life at least; signing costs half a millisecond."""
        token, signed = self._admin_token
        now = self._now()
        if not 0 <= now - signed < ADMIN_TOKEN_SECONDS / 2:
            token = sign_api_token(self._private_pem, now)
            self._admin_token = token, now
        return token

    def person_key(self, person: str, conversation: str, budgets: tuple[str, ...]) -> str:
        """A key on which calls are charged to a person, and count on those budgets."""
        now = self._now()
        claims = person_claims(
            person=person,
            conversation=conversation,
            budgets=budgets,
            correlation_id=conversation,
            issued=now,
            expires=now + PERSON_KEY_SECONDS,
        )
        return sign_person_key(self._private_pem, claims)

    def published(self) -> tuple[str, str]:
        """Name and text of the file in which the gateway finds the public half."""
        public = public_pem(self._private_pem)
        return f"{public_key_id(public)}.pem", public

    def _now(self) -> int:
        return int(self._clock().timestamp())
