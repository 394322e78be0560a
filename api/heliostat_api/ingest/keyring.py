"""Who delivers: execution keys, checked with the operator's public keys."""

import logging
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from heliostat_api.serving.problems import ProblemError
from heliostat_core.keys import (
    ExecutionClaims,
    KeyRefusedError,
    public_key_id,
    unverified_kid,
    verify_execution_key,
)

_LOG = logging.getLogger(__name__)
_REREAD_SECONDS = 60.0


class Keyring:
    """Public keys from a folder of PEM files, which may come later."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._pems: Mapping[str, str] = {}
        self._read_at = float("-inf")

    def claims(self, authorization: str | None, uid: str, attempt: int) -> ExecutionClaims:
        """Of the key of this very attempt.

        Raises a problem: 401 for a key that is no good, 403 for another attempt's, 503 while no
        public key is there to check it with.
        """
        claims = self.verified(token_of(authorization))
        refuse_foreign(claims, uid, attempt)
        return claims

    def verified(self, token: str) -> ExecutionClaims:
        """Of whichever attempt. Raises a problem as `claims` does."""
        try:
            pems = self._known(unverified_kid(token))
            return verify_execution_key(token, pems, int(self._clock()))
        except KeyRefusedError as error:
            raise _refused(str(error)) from error

    def _known(self, kid: str) -> Mapping[str, str]:
        """A key that came a moment ago counts, one that was removed counts for a minute more."""
        stale = time.monotonic() - self._read_at >= _REREAD_SECONDS
        if stale or kid not in self._pems:
            self._pems = read_public_keys(self._folder)
            self._read_at = time.monotonic()
        if not self._pems:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Not now: {self._folder} holds no public key (*.pem) yet.",
                headers={"Retry-After": "1"},
            )
        return self._pems


def token_of(authorization: str | None) -> str:
    """What is presented. Raises a problem with status 401."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _refused("No key. Send the execution key as `Authorization: Bearer`.")
    return token.strip()


def refuse_foreign(claims: ExecutionClaims, uid: str, attempt: int) -> None:
    """Raises a problem with status 403 for another attempt's."""
    if (claims.execution_uid, claims.attempt) != (uid, attempt):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "The key is that of another attempt: each delivers its own transcript.",
        )


def read_public_keys(folder: Path) -> dict[str, str]:
    """By id. A file that holds no public key is left out, with a warning."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.pem")):
        try:
            pem = path.read_text(encoding="ascii")
            found[public_key_id(pem)] = pem
        except (OSError, ValueError) as error:
            _LOG.warning("public key file %s is not used: %s", path.name, error)
    return found


def _refused(why: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        f"{why} Use the key that the operator gave to this attempt.",
        headers={"WWW-Authenticate": "Bearer"},
    )
