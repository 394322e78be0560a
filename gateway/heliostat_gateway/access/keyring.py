"""Who presents a key: the check of execution keys, user and service keys, and admins."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from heliostat_core.keys import (
    KeyRefusedError,
    public_key_id,
    unverified_kid,
    verify_admin_token,
    verify_execution_key,
)
from heliostat_gateway.access.admin_key import AdminKeyFile
from heliostat_gateway.access.callers import Caller, Scope, caller_of_execution
from heliostat_gateway.access.key_store import KeyStore
from heliostat_gateway.access.keys import (
    PREFIX,
    UnknownKeyError,
    caller_of_key,
    check_key,
    split_key,
)
from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError, key_refused

_LOG = logging.getLogger(__name__)
_REREAD_SECONDS = 1.0
_REMEMBERED: Final = 4096  # execution keys whose signature needs no second check


class KeyRing:
    """Public keys from a folder of PEM files, which may not exist yet, and the stored keys."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float] = time.time,
        store: KeyStore | None = None,
        admin_key: AdminKeyFile | None = None,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._store = store
        self._admin_key = admin_key
        self._pems: Mapping[str, str] = {}
        self._read_at = float("-inf")
        # By digest, so that a dump of this memory holds no key; with the instant of expiry.
        self._verified: dict[bytes, tuple[Caller, int]] = {}

    def count(self) -> int:
        """How many public keys are known now."""
        self._reread()
        return len(self._pems)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """The bearer of the key that a request carries, of any kind, who may call models.

        Raises RefusalError: 401 for a key that is no good, 403 for one that is for other things,
        503 for one that can't be checked now.
        """
        key = presented_key(headers)
        if not key.startswith(PREFIX):
            return self._execution(key)
        caller = self._stored(key)
        if Scope.MODELS not in caller.scopes:
            raise _lacks(caller, Scope.MODELS, "calls no models")
        return caller

    def admin(self, headers: Mapping[str, str]) -> None:
        """Raises RefusalError unless the request comes from the operator or from an admin.

        That is: the operator's token, a key with scope admin, or the owner's own admin key.
        """
        key = presented_key(headers)
        if self._admin_key is not None and self._admin_key.is_same(key):
            return
        if key.startswith(PREFIX):
            caller = self._stored(key)
            if Scope.ADMIN not in caller.scopes:
                raise _lacks(caller, Scope.ADMIN, "does not open /admin")
            return
        try:
            verify_admin_token(key, self._known(key), int(self._clock()))
        except KeyRefusedError as error:
            raise key_refused(
                f"{error} /admin needs the operator's own token or a key with scope admin."
            ) from error

    def _execution(self, key: str) -> Caller:
        now = int(self._clock())
        digest = hashlib.sha256(key.encode()).digest()
        verified = self._verified.get(digest)
        if verified is not None and now < verified[1]:
            return verified[0]
        try:
            claims = verify_execution_key(key, self._known(key), now)
        except KeyRefusedError as error:
            self._verified.pop(digest, None)
            raise key_refused(_with_remedy(str(error))) from error
        if len(self._verified) >= _REMEMBERED:
            self._verified.pop(next(iter(self._verified)))
        caller = caller_of_execution(claims)
        self._verified[digest] = (caller, claims.exp)
        return caller

    def _stored(self, key: str) -> Caller:
        if self._store is None:
            raise key_refused("This gateway keeps no user or service keys.")
        key_id, secret = split_key(key)
        record = self._store.find(key_id)
        now = int(self._clock())
        try:
            record = check_key(record, secret, now)
        except UnknownKeyError as error:
            if self._store.is_complete():
                raise key_refused(str(error)) from error
            # Another replica may have made or rotated it.
            raise RefusalError(
                503, "api_error", "The API key can't be checked now: Redis is away. Try again."
            ) from error
        except KeyRefusedError as error:
            raise key_refused(str(error)) from error
        self._store.note_use(key_id, now)
        return caller_of_key(record)

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
            pems = _read_pems(self._folder)
            if pems != self._pems:
                self._verified.clear()  # what a removed key signed is checked anew
            self._pems = pems


def presented_key(headers: Mapping[str, str]) -> str:
    """The key in `Authorization: Bearer` or `x-api-key`. Raises RefusalError when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    key = headers.get("x-api-key", "").strip()
    if not key:
        raise key_refused("No API key. Send the key as `Authorization: Bearer` or `x-api-key`.")
    return key


def _lacks(caller: Caller, scope: Scope, what: str) -> RefusalError:
    has = ", ".join(sorted(caller.scopes)) or "none"
    return RefusalError(
        403,
        "permission_error",
        f"The key {caller.key} {what}: it lacks the scope {scope.value} (it has: {has}). "
        f"Use a key with this scope, or ask an admin to make one.",
        DO_NOT_RETRY,
    )


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
