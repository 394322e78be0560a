"""Secrets that nobody gave: made once, each in a file of our own."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_BYTES = 32


def read_secret(path: Path) -> bytes:
    """The secret that signs sessions; it outlives a restart."""
    return keep_first(path, lambda: secrets.token_bytes(_BYTES))


def keep_first(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds; made where there is none, for us alone."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(make())
    with suppress(FileExistsError):
        os.link(made, path)  # whole or not at all, and the first one wins
    made.unlink()
    return path.read_bytes()
