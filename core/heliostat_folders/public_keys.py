"""Public keys of one issuer, from a folder of PEM files that may come later and may change."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from heliostat_core.keys import public_key_id

_LOG = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 60.0


class PublicKeys:
    """By id. A key that came a moment ago counts; one that was removed, for a minute more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pems: Mapping[str, str] = {}
        self._read_at = float("-inf")

    def knowing(self, kid: str) -> Mapping[str, str]:
        """All keys, read again for one that is not there, once a second at most."""
        return self._read(_AGAIN_SECONDS if kid not in self._pems else _STALE_SECONDS)

    def fresh(self) -> Mapping[str, str]:
        """All keys, not older than a second."""
        return self._read(_AGAIN_SECONDS)

    def _read(self, oldest: float) -> Mapping[str, str]:
        now = time.monotonic()
        if now - self._read_at >= oldest:
            self._pems, self._read_at = read_public_keys(self.folder), now
        return self._pems


def read_public_keys(folder: Path) -> dict[str, str]:
    """PEM texts by id. A file that holds no public key is left out, with a warning."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.pem")):
        try:
            pem = path.read_text(encoding="ascii")
            found[public_key_id(pem)] = pem
        except (OSError, ValueError) as error:
            _LOG.warning("public key file %s is not used: %s", path.name, error)
    return found
