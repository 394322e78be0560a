"""Who reconciles: the one process that holds the lock of the state folder."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL_SECONDS = 0.2


class HostLock:
    """An advisory lock on a file; the kernel frees it when its process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Let go of the lock, if it is ours."""
        os.close(self._handle)

    def take(self) -> bool:
        """Whether it is ours now."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)  # for people
        return True

    async def wait(self) -> None:
        """Until it is ours."""
        while not self.take():
            await asyncio.sleep(_POLL_SECONDS)


@contextmanager
def host_lock(path: Path) -> Iterator[HostLock]:
    """The lock of a state folder; given back at the end of the block."""
    lock = HostLock(path)
    try:
        yield lock
    finally:
        lock.close()
