"""Processes as /proc shows them. Standard library only: the supervisor imports this.

A process is known by its number, its start time and the boot, because numbers come round again.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_START_TIME = 19  # index in /proc/PID/stat behind the command's name
_FLAGS = 6
_PARENT = 1
_STATE = 0
_KERNEL_THREAD = 0x00200000  # PF_KTHREAD


@dataclass(frozen=True)
class Identity:
    """One process for all times; `start` is in clock ticks since the boot."""

    pid: int
    start: int
    boot: str


def boot_id() -> str:
    """Names the running boot of the machine."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> Identity | None:
    """The living process of that number."""
    fields = _stat_of_living(pid)
    if fields is None:
        return None
    return Identity(pid, int(fields[_START_TIME]), boot_id())


def is_alive(identity: Identity) -> bool:
    """Whether that very process still runs; a zombie does not."""
    return identify(identity.pid) == identity


def send(identity: Identity, number: signal.Signals) -> bool:
    """Send a signal to that very process. False when it is gone."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(identity.pid)  # from here on the number can't change hands
        try:
            if is_alive(identity):
                signal.pidfd_send_signal(handle, number)
                return True
        finally:
            os.close(handle)
    return False


def descendants(root: int) -> list[int]:
    """Numbers of all living processes below one, found by scanning every process."""
    children: dict[int, list[int]] = {}
    for pid in _all_pids():
        fields = _stat(pid)
        if fields is not None:
            children.setdefault(int(fields[_PARENT]), []).append(pid)
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return [pid for pid in found if identify(pid) is not None]


def memory_bytes(root: int, limit: int) -> int:
    """Memory of all processes below one, exact only where it matters: near the limit.

    Resident sizes count shared pages several times, so their sum is an upper bound; only when it
    is over the limit the shared parts are divided among the sharers.
    """
    below = _children_of(root)
    resident = sum(map(_resident_bytes, below))
    return resident if resident <= limit else sum(map(_proportional_bytes, below))


def marked(folder: Path) -> list[int]:
    """Processes with a variable whose value begins with this folder: a pod's own ones."""
    return look(folder)[0]


def look(folder: Path) -> tuple[list[int], list[int]]:
    """A pod's own processes, and those that nobody can tell yet.

    While a process replaces its program (execve), the kernel shows its environment as empty.
    """
    needle = b"=" + os.fsencode(folder) + b"/"
    own, unclear = [], []
    for pid in _all_pids():
        with suppress(OSError):
            environ = (_PROC / str(pid) / "environ").read_bytes()
            if needle in environ:
                own.append(pid)
            elif not environ and _may_have_environment(pid):
                unclear.append(pid)
    return [pid for pid in own if pid != os.getpid()], unclear


def _may_have_environment(pid: int) -> bool:
    fields = _stat_of_living(pid)
    return fields is not None and not int(fields[_FLAGS]) & _KERNEL_THREAD


def kill(pids: list[int]) -> None:
    """SIGKILL; those that are gone already don't matter."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _children_of(root: int) -> list[int]:
    """Processes below one by the kernel's own lists: cheap enough to be asked all the time."""
    found: list[int] = []
    queue = [root]
    while queue:
        pid = queue.pop()
        with suppress(OSError):
            for task in (_PROC / str(pid) / "task").iterdir():
                below = [int(each) for each in (task / "children").read_text().split()]
                found += below
                queue += below
    return found


def _resident_bytes(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
    return 0


def _proportional_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident_bytes(pid)


def _all_pids() -> Iterator[int]:
    return (int(name) for name in os.listdir(_PROC) if name.isdigit())


def _stat_of_living(pid: int) -> list[str] | None:
    """A zombie is not alive."""
    fields = _stat(pid)
    return None if fields is None or fields[_STATE] in "ZX" else fields


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat behind the name, which may hold spaces and brackets itself."""
    try:
        return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
