"""Checks the keys that requests present, of every kind, and knows which are revoked."""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from heliostat_core.keys import (
    KeyRefusedError,
    unverified_kid,
    verify_admin_token,
    verify_api_token,
    verify_execution_key,
    verify_person_key,
)
from heliostat_folders.public_keys import PublicKeys
from heliostat_gateway.access.admin_key import AdminKeyFile
from heliostat_gateway.access.callers import (
    Caller,
    Scope,
    caller_of_execution,
    caller_of_person,
)
from heliostat_gateway.access.key_store import KeyStore
from heliostat_gateway.access.keys import (
    PREFIX,
    KeyRecord,
    UnknownKeyError,
    caller_of_key,
    check_key,
    split_key,
)
from heliostat_gateway.access.rights import Admin
from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError, key_refused
from heliostat_gateway.storage import Storage

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS revocations (key TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT
"""


class Revocations:
    """The list; every question is answered from memory, every change is on the disk first."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.run_now(lambda connection: connection.execute(_SCHEMA))
        self._expires: dict[str, int] = storage.run_now(_read)

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._expires

    def all(self) -> dict[str, int]:
        """Every revoked key and when it expires."""
        return dict(self._expires)

    async def add(self, key_id: str, expires: int, now: int) -> None:
        """Revokes a key at once, and for good when this returns. Drops what has expired.

        A clock may be a little off between operator and gateway: entries stay an hour longer.
        """
        self._expires[key_id] = max(expires, self._expires.get(key_id, 0))
        expired = [key for key, end in self._expires.items() if end < now - 3600]

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO revocations VALUES (?, ?) ON CONFLICT (key) DO UPDATE "
                "SET expires = max(expires, excluded.expires)",
                (key_id, expires),
            )
            connection.executemany(
                "DELETE FROM revocations WHERE key = ?", [(key,) for key in expired]
            )

        await self._storage.run(work)
        for key in expired:
            if key != key_id:
                self._expires.pop(key, None)


def _read(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT key, expires FROM revocations").fetchall())


_UNAUTHORIZED: Final = 401
_REMEMBERED: Final = 4096  # signed keys whose signature needs no second check


class KeyRing:
    """Public keys of the operator and of the api, each from a folder of its own, and stored keys.

    They are kept apart, so that neither can sign in the other's name.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float] = time.time,
        store: KeyStore | None = None,
        admin_key: AdminKeyFile | None = None,
        api_folder: Path | None = None,
    ) -> None:
        self._operator = PublicKeys(folder)
        self._api = PublicKeys(api_folder) if api_folder is not None else None
        self._clock = clock
        self._store = store
        self._admin_key = admin_key
        # By digest, so that a dump of this memory holds no key; with the public key that it was
        # signed for and the instant of expiry.
        self._verified: dict[bytes, tuple[Caller, str, int]] = {}

    def count(self) -> int:
        """How many public keys of the operator are known now."""
        return len(self._operator.fresh())

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """The bearer of the key that a request carries, of any kind, who may call models.

        Raises RefusalError: 401 for a key that is no good, 403 for one that is for other things,
        503 for one that can't be checked now.
        """
        key = presented_key(headers)
        try:
            return self._caller(key)
        except RefusalError as refused:
            # A client that always sends some Authorization may have the key in the other header.
            other = _of_api_key(headers)
            if refused.status == _UNAUTHORIZED and other not in ("", key):
                with suppress(RefusalError):
                    return self._caller(other)
            raise

    def _caller(self, key: str) -> Caller:
        if not key.startswith(PREFIX):
            return self._signed(key)
        caller = caller_of_key(self.stored(key))
        if Scope.MODELS not in caller.scopes:
            raise _lacks(caller, Scope.MODELS, "calls no models")
        return caller

    def admin(self, headers: Mapping[str, str]) -> Admin:
        """Who asks under /admin: the operator or an admin may do all, the api little.

        An admin has a key with scope admin, or the owner's own admin key. Raises RefusalError for
        anybody else.
        """
        key = presented_key(headers)
        if self._admin_key is not None and self._admin_key.is_same(key):
            return Admin.FULL
        if key.startswith(PREFIX):
            caller = caller_of_key(self.stored(key))
            if Scope.ADMIN not in caller.scopes:
                raise _lacks(caller, Scope.ADMIN, "does not open /admin")
            return Admin.FULL
        try:
            return self._signer_of_token(key)
        except KeyRefusedError as error:
            raise key_refused(
                f"{error} /admin needs the operator's own token or a key with scope admin."
            ) from error

    def _signer_of_token(self, token: str) -> Admin:
        kid, now = unverified_kid(token), int(self._clock())
        api = self._api_keys(kid)
        if kid in api:
            verify_api_token(token, api, now)
            return Admin.API
        verify_admin_token(token, self._operator_keys(kid), now)
        return Admin.FULL

    def _signed(self, key: str) -> Caller:
        now = int(self._clock())
        digest = hashlib.sha256(key.encode()).digest()
        verified = self._verified.get(digest)
        if verified is not None and now < verified[2] and self._is_trusted(verified[1]):
            return verified[0]
        try:
            kid = unverified_kid(key)
            caller, expires = self._verify(key, kid, now)
        except KeyRefusedError as error:
            self._verified.pop(digest, None)
            raise key_refused(_with_remedy(str(error))) from error
        if len(self._verified) >= _REMEMBERED:
            self._verified.pop(next(iter(self._verified)))
        self._verified[digest] = (caller, kid, expires)
        return caller

    def _verify(self, key: str, kid: str, now: int) -> tuple[Caller, int]:
        """The owner of a key and when it expires. Raises KeyRefusedError."""
        api = self._api_keys(kid)
        if kid in api:
            of_person = verify_person_key(key, api, now)
            return caller_of_person(of_person), of_person.exp
        claims = verify_execution_key(key, self._operator_keys(kid), now)
        return caller_of_execution(claims), claims.exp

    def _is_trusted(self, kid: str) -> bool:
        """Whether what this key signed still counts: its file may have gone."""
        return kid in self._operator.knowing(kid) or kid in self._api_keys(kid)

    def stored(self, key: str) -> KeyRecord:
        """The user or service key with this text, if it is good now. Raises RefusalError."""
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
        return record

    def _operator_keys(self, kid: str) -> Mapping[str, str]:
        pems = self._operator.knowing(kid)
        if not pems:
            raise KeyRefusedError(
                f"The gateway has no public key yet ({self._operator.folder} holds no *.pem file)."
            )
        return pems

    def _api_keys(self, kid: str) -> Mapping[str, str]:
        return self._api.knowing(kid) if self._api is not None else {}


def presented_key(headers: Mapping[str, str]) -> str:
    """The key in `Authorization: Bearer` or `x-api-key`. Raises RefusalError when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    found = bearer or _of_api_key(headers)
    if not found:
        raise key_refused("No API key. Send the key as `Authorization: Bearer` or `x-api-key`.")
    return found


def _of_api_key(headers: Mapping[str, str]) -> str:
    """The key in `x-api-key`; empty when there is none."""
    return headers.get("x-api-key", "").strip()


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
