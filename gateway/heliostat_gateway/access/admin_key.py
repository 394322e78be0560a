"""The owner's own admin key, in a mounted file: it opens /admin before any key was made."""

import hashlib
import hmac
import logging
import time
from pathlib import Path
from typing import Final

_LOG = logging.getLogger(__name__)
_REREAD_SECONDS = 1.0
FEWEST_CHARACTERS: Final = 32


class AdminKeyError(Exception):
    """The file can't serve; the text says why, and never what is in it."""


class AdminKeyFile:
    """The key in a file, read again once a second: a file that goes takes its key with it."""

    def __init__(self, path: Path) -> None:
        """Raises AdminKeyError when the file can't be read or the key is too short."""
        self._path = path
        self._digest: bytes | None = _read_digest(path)
        self._read_at = time.monotonic()

    def is_same(self, key: str) -> bool:
        """Whether it is the owner's key; compared in constant time."""
        self._reread()
        if self._digest is None:
            return False
        return hmac.compare_digest(hashlib.sha256(key.encode()).digest(), self._digest)

    def _reread(self) -> None:
        now = time.monotonic()
        if now - self._read_at < _REREAD_SECONDS:
            return
        self._read_at = now
        try:
            self._digest = _read_digest(self._path)
        except AdminKeyError as error:
            if self._digest is not None:
                _LOG.warning("the owner's admin key is no longer accepted: it %s", error)
            self._digest = None


def _read_digest(path: Path) -> bytes:
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AdminKeyError(f"must be a file that can be read: {path}") from error
    if len(key) < FEWEST_CHARACTERS or any(each.isspace() for each in key):
        raise AdminKeyError(
            f"must hold one key of at least {FEWEST_CHARACTERS} characters without spaces: {path}"
        )
    return hashlib.sha256(key.encode()).digest()
