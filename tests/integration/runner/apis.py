"""An api that pods deliver to: a process that may be away, be killed, and come back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from heliostat_api.documents.actions import Actions
from heliostat_api.documents.chunks import join, read_chunk
from heliostat_api.documents.files import FileBounds, Files
from heliostat_api.documents.port import Query
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.documents.transcripts import Position, Transcripts
from heliostat_api.events.log import Logged
from heliostat_api.events.sqlite_log import SqliteEventLog
from support.deliveries import Signer, make_claims
from support.ports import free_port
from support.stores import all_pages

from .ingest_server import AUDIENCE

UID = "u-1"
_SERVER = Path(__file__).with_name("ingest_server.py")
_TESTS = _SERVER.parents[2]


class ApiProcess:
    """Its store is read directly, so that tests need none of its answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (folder / "api.log").open("ab")
        self.signer = Signer(folder / "keys")
        self.signer.publish()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def words(self) -> str:
        return (self.folder / "api.log").read_text(errors="replace")

    def key(self, attempt: int = 1) -> str:
        return self.signer.sign(make_claims(UID, attempt=attempt, issued=datetime.now(UTC)))

    def start(self, *, known: str = UID, **options: int) -> None:
        """See the options of ingest_server."""
        given = {
            "--folder": self.folder,
            "--port": self._port,
            "--known": known,
            **{f"--{name.replace('_', '-')}": value for name, value in options.items()},
        }
        # As a module of the tests: the runner's own fixtures are never imported by it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "integration.runner.ingest_server"]
            + [str(word) for option in given.items() for word in option],
            env={**os.environ, "PYTHONPATH": str(_TESTS)},
            stdout=self._log,
            stderr=self._log,
        )
        wait_until(self._answers, "the api answers")

    def kill(self) -> None:
        """At once, as a node that dies."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._log.close()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.words
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    # ---- what it has ----------------------------------------------------------------------------

    def position(self, attempt: int = 1) -> Position:
        async def read() -> Position:
            documents = open_sqlite(self.folder / "documents.db")
            position = await Transcripts(documents).position(UID, attempt)
            await documents.close()
            return position

        return asyncio.run(read())

    def transcript(self, attempt: int = 1) -> list[str]:
        query = Query(
            f"executions/{UID}/chunks",
            owner=None,
            where={"attempt": attempt},
            order="first",
            descending=False,
        )

        async def read() -> list[str]:
            documents = open_sqlite(self.folder / "documents.db")
            chunks = [read_chunk(each) async for each in all_pages(documents, query)]
            await documents.close()
            return [line for _, line in join(chunks)]

        return asyncio.run(read())

    def files(self, attempt: int = 1) -> dict[str, bytes]:
        async def read() -> dict[str, bytes]:
            documents = open_sqlite(self.folder / "documents.db")
            files = Files(documents, lambda: datetime.now(UTC), FileBounds())
            found = {
                each.path: b"".join([piece async for piece in files.read(UID, each)])
                for each in await files.list(UID)
                if each.attempt == attempt
            }
            await documents.close()
            return found

        return asyncio.run(read())

    def action(self, digest: str) -> bytes | None:
        async def read() -> bytes | None:
            documents = open_sqlite(self.folder / "documents.db")
            found = await Actions(documents, lambda: datetime.now(UTC)).get(UID, digest)
            await documents.close()
            return found

        return asyncio.run(read())

    def reports(self) -> list[Logged]:
        async def read() -> list[Logged]:
            log = SqliteEventLog(self.folder / "log.db")
            heard = await log.read([AUDIENCE], 0, 100_000)
            await log.close()
            return list(heard.reports)

        return asyncio.run(read())

    def reported_events(self) -> list[object]:
        """All events of all reports; fails unless each begins where the one before ended."""
        events: list[object] = []
        for logged in self.reports():
            payload = json.loads(json.dumps(logged.report.payload))
            assert payload["first"] == len(events), (payload["first"], len(events))
            events += payload["events"]
        return events


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
