"""`heliostat dev` as a process, and a browser's requests to it."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pydantic import JsonValue

from .conftest import PROGRAM, build_environ

READY_SECONDS = 30
DEADLINE_SECONDS = 90
_PAGE = {"Accept": "text/html"}


@dataclass(frozen=True)
class Event:
    """One event of the stream."""

    name: str
    id: int
    data: Mapping[str, JsonValue]

    @property
    def payload(self) -> Mapping[str, JsonValue]:
        """Of a report."""
        payload = self.data["payload"]
        assert isinstance(payload, dict)
        return payload


@dataclass
class DevProcess:
    """One `heliostat dev` over a folder; `start` after `end` is a restart."""

    folder: Path
    environ: Mapping[str, str]
    port: int = 18080
    process: subprocess.Popen[str] | None = None
    url: str = ""

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

    def start(self) -> float:
        """Returns the seconds until it answered."""
        begin = time.monotonic()
        before = self._said()
        self.process = self.spawn("--port", str(self.port))
        while not (found := re.search(r"^dashboard +(\S+)$", self._said()[len(before) :], re.M)):
            assert self.process.poll() is None, self._said()
            assert time.monotonic() - begin < READY_SECONDS, self._said()
            time.sleep(0.02)
        self.url = found.group(1)
        return time.monotonic() - begin

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(30)

    def _said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    @contextmanager
    def browser(self) -> Iterator[httpx2.Client]:
        """Has opened the first page, and so has a session."""
        headers = {"Origin": self.url}
        with httpx2.Client(base_url=self.url, timeout=10, headers=headers) as client:
            client.get("/", headers=_PAGE)
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


def follow(client: httpx2.Client, cursor: int | None = None) -> Generator[Event, None, None]:
    """Events of the stream until the reader has had enough, at most DEADLINE_SECONDS long."""
    given = {} if cursor is None else {"Last-Event-ID": str(cursor)}
    begin = time.monotonic()
    with client.stream("GET", "/agent/reports/stream", headers=given, timeout=30) as response:
        assert response.status_code == 200, response.read()
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            assert time.monotonic() - begin < DEADLINE_SECONDS
            name, colon, value = line.partition(": ")
            if colon and name:
                fields[name] = value
            elif not line and "data" in fields:
                yield Event(fields["event"], int(fields["id"]), json.loads(fields["data"]))
                fields = {}
