"""Digests of the files that an action executes or sends."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from heliostat_policy.actions import Operand

from .actions import ProblemError

LARGEST = 256 << 20
"""Bytes of one file: its digest must be there before Claude Code stops waiting for the hook."""


def read_operands(paths: Sequence[str], cwd: str) -> tuple[Operand, ...]:
    """Each file with its digest, by the path that the call names. Raises ProblemError."""
    return tuple(Operand(path, _digest(path, Path(cwd, path))) for path in paths)


def have_changed(operands: Sequence[Operand], cwd: str) -> bool:
    """Whether a file is no longer what it was, or no longer there."""
    try:
        return read_operands([each.path for each in operands], cwd) != tuple(operands)
    except ProblemError:
        return True


def _digest(name: str, place: Path) -> str:
    """Without waiting: a pipe or a device in a file's place is no file."""
    try:
        handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise ProblemError(
            f"the file {name!r} that it uses cannot be read ({error.strerror}). "
            "Make the file first, then make the call again."
        ) from error
    with os.fdopen(handle, "rb") as file:
        seen = os.fstat(file.fileno())
        if not stat.S_ISREG(seen.st_mode):
            raise ProblemError(f"{name!r} is not a file. Name a file, packed if need be.")
        if seen.st_size > LARGEST:
            raise ProblemError(f"{name!r} is larger than {LARGEST >> 20} MiB. Use smaller files.")
        return hashlib.file_digest(file, "sha256").hexdigest()
