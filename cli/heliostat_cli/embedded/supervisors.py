"""Supervisors from outside: start them, find them again, stop them, sweep after them."""

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from time import monotonic

from heliostat_cli.embedded.containers import TERMINATION_LOG
from heliostat_cli.embedded.processes import Identity, is_alive, kill, look, send
from heliostat_cli.embedded.supervisor import (
    CONTAINER,
    LOG,
    STOP,
    Container,
    State,
    read_state,
    read_supervisor,
    take_life,
    write_json,
)

_NOBODY = Identity(0, 0, "")
_SWEEP_SECONDS = 10.0
_EXEC_SECONDS = 0.5
"""For how long an empty environment may be one that the kernel does not show yet."""


class Life(Enum):
    """What became of a pod's folder."""

    UNBORN = "no supervisor has been there"
    ALIVE = "its supervisor runs"
    ENDED = "its supervisor wrote how it ended"
    LOST = "its supervisor is gone without a word"


@dataclass(frozen=True)
class Finding:
    """A pod's folder as it is now."""

    life: Life
    state: State | None


class PodFolder:
    """The folder of one pod and the supervisor in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def look(self) -> Finding:
        """Alive or not is asked before the state is read: an end is never taken for a loss."""
        supervisor = read_supervisor(self.path)
        if supervisor is None:
            return Finding(Life.UNBORN, None)
        alive = is_alive(supervisor)
        state = read_state(self.path)
        if state is not None and state.phase == "Terminated":
            return Finding(Life.ENDED, state)
        return Finding(Life.ALIVE if alive else Life.LOST, state)

    def start(self, container: Container) -> int:
        """Start a supervisor; returns its process number. Done twice, the second one leaves."""
        write_json(self.path / CONTAINER, asdict(container))
        log = str(self.path / "supervisor.log")
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-m", "heliostat_cli.embedded.supervisor", str(self.path)],
            {"LANG": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGTERM),
        )

    def forbid(self) -> bool:
        """Make sure that nothing ever starts here. False when a supervisor was quicker."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return take_life(self.path, _NOBODY)

    def stop(self, grace_seconds: float) -> None:
        """Ask the supervisor to end the container within the grace; may be asked again."""
        supervisor = read_supervisor(self.path)
        if supervisor is not None:
            write_json(self.path / STOP, {"graceSeconds": grace_seconds})
            send(supervisor, signal.SIGTERM)

    async def sweep(self) -> None:
        """End a supervisor that is still there, and every process that bears the pod's mark."""
        supervisor = read_supervisor(self.path)
        if supervisor is not None and supervisor != _NOBODY:
            send(supervisor, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(_SWEEP_SECONDS):
                await self._sweep_marked()

    async def _sweep_marked(self) -> None:
        since: dict[int, float] = {}
        while True:
            own, unclear = look(self.path)
            kill(own)
            now = monotonic()
            waited = [now - since.setdefault(pid, now) for pid in unclear]
            if not own and all(each > _EXEC_SECONDS for each in waited):
                return
            await asyncio.sleep(0.02)

    def termination_log(self) -> bytes:
        """What the container wrote as its last word; empty when nothing."""
        try:
            return (self.path / TERMINATION_LOG).read_bytes()
        except FileNotFoundError:
            return b""

    @property
    def log(self) -> Path:
        """Standard output and error of the container."""
        return self.path / LOG

    def remove(self) -> None:
        """Delete all that the pod left."""
        shutil.rmtree(self.path, ignore_errors=True)
