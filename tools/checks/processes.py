"""Processes of the checks: started side by side, their CPU time counted, none left behind."""

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_CHILD_SUBREAPER = 36
_GRACE_SECONDS = 20


@dataclass(frozen=True)
class Ended:
    """A child that has ended; its CPU time is that of all that it had waited for, too."""

    pid: int
    status: int
    cpu_seconds: float


def adopt_orphans() -> None:
    """Makes this process the parent of what its descendants leave running, where Linux can.

    So the programs of a cluster, which detach themselves, are counted and ended like all others.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def start(command: str, output: IO[bytes], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A shell that runs it, in a process group of its own."""
    return subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environ,
        start_new_session=True,
        # A shell's background jobs ignore it, and so would all that we start from one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_any(options: int = 0) -> Ended | None:
    """The next child to end, an adopted one too; None when none has, or none is there."""
    try:
        pid, status, usage = os.wait4(-1, options)
    except ChildProcessError:
        return None
    if pid == 0:
        return None
    return Ended(pid, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime)


def count_cpu_seconds() -> float:
    """The CPU time of all children that have ended, with all that they had waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def interrupt(pid: int) -> None:
    """What Ctrl-C does to a command: its process group ends with its `finally` blocks run."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGINT)


def end_children() -> set[str]:
    """Ends all that still runs, asked first, then killed; returns the names of these programs."""
    names: set[str] = set()
    asked: set[int] = set()
    deadline = time.monotonic() + _GRACE_SECONDS
    while True:
        while wait_for_any(os.WNOHANG):
            pass
        children = find_children()
        if not children:
            return names
        names.update(children.values())
        is_late = time.monotonic() > deadline
        for pid in children.keys() if is_late else children.keys() - asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if is_late else signal.SIGTERM)
        asked |= children.keys()
        time.sleep(0.1)


def find_children() -> dict[int, str]:
    """The names of this process's children that run, by pid; none where there is no /proc."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                found[int(stat.parent.name)] = name
    return found
