"""The operator's public keys, and the check of keys and tokens that callers present."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from heliostat_core.keys import (
    KeyRefusedError,
    public_key_id,
    unverified_kid,
    verify_admin_token,
    verify_execution_key,
)
from heliostat_gateway.callers import Caller, caller_of_execution
from heliostat_gateway.errors import key_refused

_LOG = logging.getLogger(__name__)
_REREAD_SECONDS = 1.0


class KeyRing:
    """Public keys from a folder of PEM files, which may not exist yet."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._pems: Mapping[str, str] = {}
        self._read_at = float("-inf")

    def count(self) -> int:
        """How many public keys are known now."""
        self._reread()
        return len(self._pems)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """The bearer of the key that a request carries. Raises RefusalError (401)."""
        key = presented_key(headers)
        try:
            claims = verify_execution_key(key, self._known(key), int(self._clock()))
        except KeyRefusedError as error:
            raise key_refused(_with_remedy(str(error))) from error
        return caller_of_execution(claims)

    def admin(self, headers: Mapping[str, str]) -> None:
        """Raises RefusalError (401) unless the request carries the operator's token."""
        token = presented_key(headers)
        try:
            verify_admin_token(token, self._known(token), int(self._clock()))
        except KeyRefusedError as error:
            raise key_refused(f"{error} /admin needs the operator's own token.") from error

    def _known(self, token: str) -> Mapping[str, str]:
        if unverified_kid(token) not in self._pems:
            self._reread()
        if not self._pems:
            raise KeyRefusedError(
                f"The gateway has no public key yet ({self._folder} holds no *.pem file)."
            )
        return self._pems

    def _reread(self) -> None:
        now = time.monotonic()
        if now - self._read_at >= _REREAD_SECONDS:
            self._read_at = now
            self._pems = _read_pems(self._folder)


def presented_key(headers: Mapping[str, str]) -> str:
    """The key in `Authorization: Bearer` or `x-api-key`. Raises RefusalError when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    key = headers.get("x-api-key", "").strip()
    if not key:
        raise key_refused(
            "No API key. Send the execution key as `Authorization: Bearer` or `x-api-key`."
        )
    return key


def _with_remedy(message: str) -> str:
    return f"{message} Use the key that the operator gave to this attempt."


def _read_pems(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.pem")):
        try:
            pem = path.read_text(encoding="ascii")
            found[public_key_id(pem)] = pem
        except (OSError, ValueError) as error:
            _LOG.warning("public key file %s is not used: %s", path.name, error)
    return found
