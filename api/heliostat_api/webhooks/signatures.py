"""Signatures of calls: Standard Webhooks' in both directions, GitHub's in one. Pure."""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

SECRET_PREFIX: Final = "whsec_"
TOLERANCE: Final = timedelta(minutes=5)
"""How far a signed time may be from ours: an old call that somebody kept is not taken again."""
_SECRET_BYTES: Final = 32
_LEAST_BYTES: Final = 24
_MOST_BYTES: Final = 64
_VERSION: Final = "v1"
_GITHUB_PREFIX: Final = "sha256="


def new_secret() -> str:
    """As Standard Webhooks write one; GitHub takes the same text."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """What a Standard Webhooks secret stands for. Raises ValueError, which does not show it."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise ValueError(
            f"must be {SECRET_PREFIX} and {_LEAST_BYTES} to {_MOST_BYTES} random bytes in base64"
        )
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(key_of(secret), signed, hashlib.sha256)
    return f"{_VERSION},{base64.b64encode(digest).decode()}"


def is_signed(
    secret: str, message_id: str, timestamp: str, signatures: str, body: bytes, now: datetime
) -> bool:
    """Whether one of the signatures is ours, and was made a moment ago."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    expected = sign(secret, message_id, int(timestamp), body).encode()
    given = [each.encode() for each in signatures.split(" ")]
    return any([hmac.compare_digest(each, expected) for each in given])


def is_signed_for_github(secret: str, signature: str, body: bytes) -> bool:
    """Whether `X-Hub-Signature-256` is ours."""
    expected = _GITHUB_PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode(), expected.encode())
