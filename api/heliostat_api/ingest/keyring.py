"""Who delivers: execution keys, checked with the operator's public keys."""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from heliostat_api.base.texts import plain
from heliostat_api.web.problems import ProblemError
from heliostat_core.keys import (
    ExecutionClaims,
    KeyRefusedError,
    unverified_kid,
    verify_execution_key,
)
from heliostat_folders.public_keys import PublicKeys


class Keyring:
    """Public keys from a folder of PEM files, which may come later."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._keys = PublicKeys(folder)
        self._clock = clock

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
        pems = self._keys.knowing(kid)
        if not pems:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                plain(f"Not now: {self._keys.folder} holds no public key (*.pem) yet."),
                headers={"Retry-After": "1"},
            )
        return pems


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
            plain("The key is that of another attempt: each delivers its own transcript."),
        )


def _refused(why: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        plain(f"{why} Use the key that the operator gave to this attempt."),
        headers={"WWW-Authenticate": "Bearer"},
    )
