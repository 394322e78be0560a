"""A program that may be killed and started again, with the arguments that it had."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

READY_SECONDS = 180  # beside the rest of a busy machine
STOP_SECONDS = 10


@dataclass
class Program:
    """`is_ready` is asked after each start; `starts` counts them."""

    name: str
    command: Sequence[str | Path]
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = lambda: True
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it is ready. Raises RuntimeError with its last words when it ends."""
        self.launch()
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            if not self.is_alive or time.monotonic() > deadline:
                words = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.name} is not ready:\n{words}")
            time.sleep(0.05)

    def launch(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, env=self.environ, stdout=log, stderr=log, cwd=self.log.parent
            )
        self.starts += 1

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def stop(self) -> None:
        """SIGTERM; SIGKILL for one that does not obey."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process that was started last; 0 before the first start."""
        return self._process.pid if self._process else 0

    def measure(self) -> "Use | None":
        """What its process uses now; None when there is none."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid) if self.is_alive else None
            if process is not None:
                memory, times = process.memory_full_info(), process.cpu_times()
                return Use(self.pid, memory.rss, memory.pss, times.user + times.system)
        return None


@dataclass(frozen=True)
class Use:
    """Bytes of memory and seconds of CPU of one process."""

    pid: int
    rss: int
    pss: int
    cpu: float


@contextlib.contextmanager
def running(*programs: Program) -> Iterator[None]:
    """All of them, started in order and stopped in reverse."""
    with contextlib.ExitStack() as ends:
        for each in programs:
            ends.callback(each.stop)
            each.start()
        yield
