"""A vault: secrets that the api must read again, encrypted where they are kept.

Its keys follow from the secrets of the sessions: the first one encrypts, all of them decrypt. So a
secret is changed by the steps that docs/people.md has, and who reads only the store reads nothing.
"""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_ID_BYTES: Final = 8
_PURPOSE: Final = b"heliostat webhooks"


@dataclass(frozen=True)
class Sealed:
    """An encrypted text, and the name of the key that opens it."""

    text: str
    key: str


class Vault:
    """`secrets` are those of the sessions."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        keys = [_key_of(each) for each in secrets]
        self._keys = {_name_of(each): AESGCM(each) for each in keys}
        self._current = _name_of(keys[0])

    @property
    def outdated(self) -> tuple[str, ...]:
        """Names of keys that will be gone one day."""
        return tuple(each for each in self._keys if each != self._current)

    def seal(self, place: str, text: str) -> Sealed:
        """What only opens at the same place: moved to another document it is worth nothing."""
        nonce = os.urandom(_NONCE_BYTES)
        hidden = self._keys[self._current].encrypt(nonce, text.encode(), place.encode())
        return Sealed(base64.b64encode(nonce + hidden).decode(), self._current)

    def open(self, place: str, sealed: Sealed) -> str | None:
        """None where the key is gone, or somebody changed it."""
        key = self._keys.get(sealed.key)
        if key is None:
            return None
        hidden = base64.b64decode(sealed.text)
        try:
            text = key.decrypt(hidden[:_NONCE_BYTES], hidden[_NONCE_BYTES:], place.encode())
        except InvalidTag:
            return None
        return text.decode()


def _key_of(secret: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(secret)


def _name_of(key: bytes) -> str:
    digest = Hash(SHA256())
    digest.update(key)
    return digest.finalize()[:_ID_BYTES].hex()
