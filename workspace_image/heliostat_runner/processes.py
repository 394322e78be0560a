"""Child processes: started in a session of their own, reaped, and ended to the last descendant.

The runner makes itself the subreaper, so a process whose parent died becomes a child of the
runner, whatever session or group it put itself in. That makes /proc's parent links a complete
list, and lets the runner be PID 1 of a container, where nobody else reaps zombies.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_KILL_DEADLINE = 10.0
_KILL_PAUSE = 0.01
_FOLLOW_SECONDS = 0.5
"""What belongs to a program that has just left may follow it for so long."""
_CHUNK = 1 << 16


class StartError(Exception):
    """The program cannot be started; the text says why."""


@dataclass(frozen=True)
class Child:
    pid: int
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    exited: asyncio.Future[int]
    """The exit code, negative for a signal."""


class Processes:
    """All processes under the runner. One per program run, bound to the running event loop."""

    def __init__(self) -> None:
        _become_subreaper()
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, tuple[subprocess.Popen[bytes], asyncio.Future[int]]] = {}
        self._loop.add_signal_handler(signal.SIGCHLD, self.reap)

    async def start(
        self, command: Sequence[str], environ: Mapping[str, str], folder: Path, stdin: str
    ) -> Child:
        """Starts the command with `stdin` to read and then end of file. Raises StartError."""
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        try:
            process = _spawn(command, environ, folder, stdin, out_end, err_end)
        except (OSError, ValueError) as error:
            os.close(out)
            os.close(err)
            raise StartError(f"{command[0]!r} cannot be started: {error}") from error
        finally:
            os.close(out_end)
            os.close(err_end)
        exited: asyncio.Future[int] = self._loop.create_future()
        self._waiting[process.pid] = (process, exited)
        return Child(process.pid, await self._reader(out), await self._reader(err), exited)

    async def _reader(self, handle: int) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=_CHUNK)
        await self._loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(handle, "rb", 0)
        )
        return reader

    def reap(self) -> None:
        """Collects every dead child, adopted ones included. Nobody else may wait for children."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            known = self._waiting.pop(pid, None)
            if known is not None:
                process, exited = known
                process.returncode = os.waitstatus_to_exitcode(status)
                exited.set_result(process.returncode)

    async def end(self, child: Child, polite_seconds: float) -> list[int]:
        """SIGTERM to the child's group, time to leave, then `kill_all`."""
        if not child.exited.done():
            _signal_group(child.pid, signal.SIGTERM)
            await asyncio.wait([child.exited], timeout=polite_seconds)
        return await self.kill_all()

    async def left_behind(self, child: Child) -> tuple[str, ...]:
        """Names of what still works although the child is over or about to be ended for it.

        Helpers of the child notice its end a moment later: they are no work.
        """
        until = self._loop.time() + _FOLLOW_SECONDS
        while True:
            self.reap()
            working = [pid for pid in living_descendants(os.getpid()) if pid != child.pid]
            if not working or self._loop.time() > until:
                return tuple(sorted(filter(None, map(_name, working))))
            await asyncio.sleep(_KILL_PAUSE)

    async def kill_all(self) -> list[int]:
        """SIGKILL until nothing is left, also of those that start others meanwhile.

        Returns what is still there after 10 s: processes that the kernel itself holds.
        """
        deadline = self._loop.time() + _KILL_DEADLINE
        while True:
            self.reap()
            living = living_descendants(os.getpid())
            if not living or self._loop.time() > deadline:
                return living
            for pid in living:
                _signal(pid, signal.SIGKILL)
            await asyncio.sleep(_KILL_PAUSE)


def _spawn(
    command: Sequence[str],
    environ: Mapping[str, str],
    folder: Path,
    stdin: str,
    stdout: int,
    stderr: int,
) -> subprocess.Popen[bytes]:
    with tempfile.TemporaryFile() as source:  # a file, because a pipe would need a writer
        source.write(stdin.encode(errors="replace"))
        source.seek(0)
        return subprocess.Popen(
            command,
            stdin=source,
            stdout=stdout,
            stderr=stderr,
            env=dict(environ),
            cwd=folder,
            start_new_session=True,
        )


def living_descendants(root: int) -> list[int]:
    """Descendants of `root` that are not zombies, parents before children."""
    children: dict[int, list[int]] = {}
    dead: set[int] = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            state, parent = _state_and_parent(int(entry.name))
            children.setdefault(parent, []).append(int(entry.name))
            if state in "ZX":
                dead.add(int(entry.name))
    found: list[int] = []
    queue = [root]
    while queue:
        mine = children.get(queue.pop(), [])
        found += mine
        queue += mine
    return [pid for pid in found if pid not in dead]


def _state_and_parent(pid: int) -> tuple[str, int]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    state, parent = stat[stat.rindex(")") + 2 :].split()[:2]  # the name may hold ")" and spaces
    return state, int(parent)


def _name(pid: int) -> str:
    """The program's short name: a whole command line may hold secrets. Empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # gone; or set-uid, which a container without privileges cannot have


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


def _become_subreaper() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")
