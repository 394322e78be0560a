"""Grants that are spent: a mark in the state folder, made before the hook says allow."""

from __future__ import annotations

import os
from pathlib import Path


def spend(state_dir: Path, approval: str) -> bool:
    """Marks the grant as used; False if it was used before. Raises OSError without a mark.

    The mark lies in the workspace, where the agent can remove it: it catches what goes wrong, a
    second process or attempt with the same grant. That a grant is given once is the operator's
    claim.
    """
    folder = state_dir / "grants"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(folder / approval, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    _sync(handle)
    _sync(os.open(folder, os.O_RDONLY))
    return True


def _sync(handle: int) -> None:
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
