"""The secret that signs sessions, where nobody gave one: made once, in a file of our own."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

_BYTES = 32


def read_secret(path: Path) -> bytes:
    """The file's secret, which outlives a restart; made where there is none, for us alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(_BYTES))
    with suppress(FileExistsError):
        os.link(made, path)  # whole or not at all, and the first one wins
    made.unlink()
    return path.read_bytes()
