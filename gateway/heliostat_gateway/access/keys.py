"""User and service keys, `hsk_<id>_<secret>`: how they are made, checked, rotated and revoked.

Pure. The secret is 256 random bits, so one SHA-256 of it keeps it safe at rest: it can't be
guessed, and a slow hash would only slow every request. Instants are seconds since the epoch.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict

from heliostat_core.keys import KeyRefusedError
from heliostat_gateway.access.callers import Caller, Caps, KeyKind, Scope

PREFIX: Final = "hsk_"
_ID_BYTES = 6
_SECRET_BYTES = 32
_NO_DIGEST = "0" * 64  # no secret has it; compared with, so that an unknown id takes as long


class NoSuchKeyError(Exception):
    """There is no key with this id."""


class UnknownKeyError(KeyRefusedError):
    """No key with this id has this secret, as far as is known here."""


class KeyIsRevokedError(Exception):
    """A revoked key can't be changed any more."""


@dataclass(frozen=True)
class WantedKey:
    """What a new key shall be."""

    name: str
    kind: KeyKind
    user: str = ""
    scopes: frozenset[Scope] = frozenset({Scope.MODELS})
    models: tuple[str, ...] = ("*",)
    budgets: tuple[str, ...] = ()
    caps: Caps = field(default_factory=Caps)
    expires: int | None = None


class KeyRecord(BaseModel):
    """A key as it is stored: never its secret."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str  # with the prefix
    name: str
    kind: KeyKind
    user: str = ""
    scopes: frozenset[Scope]
    models: tuple[str, ...]
    budgets: tuple[str, ...] = ()
    caps: Caps = Caps()
    digest: str  # SHA-256 of the secret, in hex
    old_digest: str = ""  # of the secret before the last rotation
    old_until: int = 0  # the old secret is good before this instant
    created: int
    expires: int | None = None
    revoked: int | None = None


@dataclass(frozen=True)
class IssuedKey:
    """A key and its text, which is shown once and known to nobody afterwards."""

    record: KeyRecord
    text: str


@dataclass(frozen=True)
class ListedKey:
    """A key and when it was last used."""

    record: KeyRecord
    last_used: int | None


def issue_key(wanted: WantedKey, now: int) -> IssuedKey:
    """A new key with a new id."""
    key_id = PREFIX + secrets.token_hex(_ID_BYTES)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    record = KeyRecord(**vars(wanted), id=key_id, digest=_digest(secret), created=now)
    return IssuedKey(record, f"{key_id}_{secret}")


def rotate_key(record: KeyRecord, grace_seconds: int, now: int) -> IssuedKey:
    """A new secret; the old one is good for so long. Raises KeyIsRevokedError."""
    if record.revoked is not None:
        raise KeyIsRevokedError(record.id)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    change = {
        "digest": _digest(secret),
        "old_digest": record.digest,
        "old_until": now + grace_seconds,
    }
    return IssuedKey(record.model_copy(update=change), f"{record.id}_{secret}")


def revoke_key(record: KeyRecord, now: int) -> KeyRecord:
    """The key, revoked; the first time stays."""
    return record if record.revoked is not None else record.model_copy(update={"revoked": now})


def split_key(text: str) -> tuple[str, str]:
    """Id (with the prefix) and secret of a key's text; the secret is empty when it has none."""
    key_id, _, secret = text.removeprefix(PREFIX).partition("_")
    return PREFIX + key_id, secret


def check_key(record: KeyRecord | None, secret: str, now: int) -> KeyRecord:
    """The record, if the secret is its own and good now. Raises KeyRefusedError.

    Takes the same time for an unknown id as for a wrong secret.
    """
    digest = _digest(secret)
    is_own = hmac.compare_digest(digest, _NO_DIGEST if record is None else record.digest)
    old = _NO_DIGEST if record is None or now >= record.old_until else record.old_digest
    is_old = hmac.compare_digest(digest, old)
    if record is None or not (is_own or is_old):
        raise UnknownKeyError(
            "The API key is not known here. Use the text that was shown when the key was made, "
            "or ask an admin for a new key."
        )
    if record.revoked is not None:
        raise KeyRefusedError(
            f"The API key {record.id} has been revoked. Ask an admin for a new key."
        )
    if record.expires is not None and now >= record.expires:
        raise KeyRefusedError(f"The API key {record.id} has expired. Ask an admin for a new key.")
    return record


def caller_of_key(record: KeyRecord) -> Caller:
    """The bearer of a user or service key."""
    return Caller(
        key=record.id,
        kind=record.kind,
        account=record.id,
        user=record.user,
        caps=record.caps,
        budgets=record.budgets,
        models=record.models,
        scopes=record.scopes,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
