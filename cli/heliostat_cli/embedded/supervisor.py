"""The process above one container: starts it, bounds it, ends all of it, writes how it ended.

`python -I -m heliostat_cli.embedded.supervisor FOLDER`, one for each pod, in a session of its own,
so that it outlives whoever started it. Standard library only: it is there as long as the pod is.

The folder: `container.json` says what to run; `supervisor.json` who supervises (written once: a
folder has one life); `state.json` how far it is; `stop.json` the grace of a stop, read on SIGTERM.
"""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from heliostat_cli.embedded.processes import (
    Identity,
    descendants,
    identify,
    kill,
    memory_bytes,
)

CONTAINER = "container.json"
SUPERVISOR = "supervisor.json"
STATE = "state.json"
STOP = "stop.json"
LOCK = "lock"
LOG = "log"

_POLL_SECONDS = 0.1
_KILL_SECONDS = 10.0  # for processes that the kernel can't end at once
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_WATCHED = (signal.SIGCHLD, signal.SIGTERM)
_START_ERROR = 128
_KILLED = 137


@dataclass(frozen=True)
class Container:
    """What to run. Bytes, seconds; None is no limit."""

    command: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    memory_bytes: int | None = None
    deadline_seconds: int | None = None
    grace_seconds: int = 30


@dataclass(frozen=True)
class State:
    """How far the container is; instants are RFC 3339."""

    phase: Literal["Running", "Terminated"]
    started_at: str
    finished_at: str = ""
    exit_code: int = 0
    signal: int | None = None
    reason: str = ""
    message: str = ""


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Whole or not at all, whenever the machine stops."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(handle)
    fresh.replace(path)


class Supervision:
    """One container from start to end. One for each process, on its main thread."""

    def __init__(self, folder: Path, container: Container) -> None:
        self._folder = folder
        self._container = container
        self._stop_at: float | None = None  # monotonic; SIGKILL then
        self._reason = ""  # why we ended it, if we did
        self._main = 0
        self._exit: int | None = None  # negative for a signal

    def run(self) -> State:
        """Until no process of the container is left."""
        started = _now()
        try:
            self._main = self._start()
        except OSError as error:
            message = f'exec: "{self._container.command[0]}": {error.strerror}: {error.filename}'
            return State(
                "Terminated", started, _now(), _START_ERROR, reason="StartError", message=message
            )
        self._save(State("Running", started))
        begun = time.monotonic()
        while self._exit is None:
            self._wait(_POLL_SECONDS)
            self._bound(time.monotonic() - begun)
        self._end_all()
        return self._ended(started)

    def _start(self) -> int:
        container = self._container
        with (self._folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                container.command,
                env=dict(container.env),
                cwd=container.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_prepare_child,
            )
        process.returncode = 0  # we reap by ourselves, adopted processes too
        return process.pid

    def _bound(self, running_seconds: float) -> None:
        """Hold the container within its limits."""
        container = self._container
        limit = container.memory_bytes
        if limit is not None and memory_bytes(os.getpid(), limit) > limit:
            self._reason = "OOMKilled"
            self._end_all()
        deadline = container.deadline_seconds
        if deadline is not None and running_seconds > deadline and self._stop_at is None:
            self._reason = "DeadlineExceeded"
            self._stop(container.grace_seconds)
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self._end_all()

    def _wait(self, seconds: float) -> None:
        """For a signal, at most so long."""
        found = signal.sigtimedwait(_WATCHED, seconds)
        if found is not None and found.si_signo == signal.SIGTERM:
            self._stop(self._asked_grace())
        self._reap()

    def _asked_grace(self) -> float:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return float(json.loads((self._folder / STOP).read_text())["graceSeconds"])
        return float(self._container.grace_seconds)

    def _stop(self, grace_seconds: float) -> None:
        """SIGTERM to the main process, SIGKILL to all after the grace. A second one may shorten."""
        stop_at = time.monotonic() + grace_seconds
        if self._stop_at is None:
            with suppress(ProcessLookupError):
                os.kill(self._main, signal.SIGTERM)
        self._stop_at = stop_at if self._stop_at is None else min(self._stop_at, stop_at)

    def _reap(self) -> bool:
        """Collect every dead child. False when there is no child at all: nobody is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._main:
                self._exit = os.waitstatus_to_exitcode(status)

    def _end_all(self) -> None:
        """SIGKILL until nobody is left: as subreaper we adopt whoever loses its parent."""
        deadline = time.monotonic() + _KILL_SECONDS
        while self._reap() and time.monotonic() < deadline:
            kill(descendants(os.getpid()))
            signal.sigtimedwait((signal.SIGCHLD,), 0.02)

    def _ended(self, started: str) -> State:
        code = self._exit if self._exit is not None else -signal.SIGKILL
        if self._reason == "OOMKilled":
            return State("Terminated", started, _now(), _KILLED, signal.SIGKILL, "OOMKilled")
        reason = self._reason or ("Completed" if code == 0 else "Error")
        if code < 0:
            return State("Terminated", started, _now(), 128 - code, -code, reason)
        return State("Terminated", started, _now(), code, None, reason)

    def _save(self, state: State) -> None:
        write_json(self._folder / STATE, asdict(state))


def read_container(folder: Path) -> Container:
    """What the folder says is to run."""
    return Container(**json.loads((folder / CONTAINER).read_text()))


def read_state(folder: Path) -> State | None:
    """How far the container is; None before it was started."""
    try:
        return State(**json.loads((folder / STATE).read_text()))
    except FileNotFoundError:
        return None


def read_supervisor(folder: Path) -> Identity | None:
    """Who supervises the folder, dead or alive; None when nobody ever did."""
    try:
        return Identity(**json.loads((folder / SUPERVISOR).read_text()))
    except FileNotFoundError:
        return None


def take_life(folder: Path, identity: Identity) -> bool:
    """Become the folder's one supervisor. False when somebody was that before.

    The lock on the folder is held until the process ends; whoever loses a race sees that.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    if (folder / SUPERVISOR).exists():
        os.close(handle)
        return False
    write_json(folder / SUPERVISOR, asdict(identity))
    return True


def main() -> int:
    folder = Path(sys.argv[1])
    os.umask(0o077)
    os.chdir(folder)
    myself = identify(os.getpid())
    if myself is None or not take_life(folder, myself):
        return 1
    signal.pthread_sigmask(signal.SIG_SETMASK, _WATCHED)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a closed terminal ends no job
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    state = Supervision(folder, read_container(folder)).run()
    write_json(folder / STATE, asdict(state))
    return 0


def _prepare_child() -> None:
    """In the child before exec: it dies with the supervisor, and before it when memory is short."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.exit(main())
