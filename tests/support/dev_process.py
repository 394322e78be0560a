"""`heliostat dev` as a process, and a browser's requests to it."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from support.heliostat_program import PROGRAM, build_environ
from support.ports import free_port
from support.screens import open_browser

READY_SECONDS = 30


@dataclass
class DevProcess:
    """One `heliostat dev` over a folder; `start` after `end` is a restart."""

    folder: Path
    environ: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    url: str = ""
    started_seconds: float = 0
    """From the start of the process until it answered."""

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def spawn(self, *options: str | Path) -> subprocess.Popen[str]:
        with self.log.open("a") as log:
            return subprocess.Popen(
                [PROGRAM, "dev", "--no-browser", "--dir", self.folder, *options],
                env=self.environ,
                stdout=log,
                stderr=log,
                text=True,
            )

    def start(self) -> None:
        """Returns when it answers."""
        begin = time.monotonic()
        before = self._said()
        self.process = self.spawn("--port", str(self.port))
        while not (found := re.search(r"^dashboard +(\S+)$", self._said()[len(before) :], re.M)):
            assert self.process.poll() is None, self._said()
            assert time.monotonic() - begin < READY_SECONDS, self._said()
            time.sleep(0.02)
        self.url = found.group(1)
        self.started_seconds = time.monotonic() - begin

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(30)

    def _said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    @contextmanager
    def browser(self) -> Iterator[httpx2.Client]:
        """Has opened the first page, and so has a session."""
        with open_browser(self.url) as client:
            yield client


@contextmanager
def running_dev(folder: Path, **environ: str) -> Iterator[DevProcess]:
    """A dev process with its folder below `folder`; killed at the end if it still runs."""
    dev = DevProcess(folder / "state", build_environ(folder, **environ))
    dev.start()
    try:
        yield dev
    finally:
        if dev.process is not None and dev.process.poll() is None:
            dev.process.kill()
            dev.process.wait()
