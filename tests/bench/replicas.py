"""An api as a process of its own, the bare one beside it, and who asks them."""

import asyncio
import contextlib
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil

from bench.gateway.rigs import PYTHON, running, wait_for
from bench.replica_process import Order
from heliostat_api.people.sessions import Sessions
from heliostat_api.people.signed_tokens import SignedTokens
from heliostat_api.web.credentials import SESSION
from heliostat_core.keys import execution_claims, new_private_key, public_pem, sign_execution_key
from support.ports import free_port
from support.shared_api import SECRET

STREAM = "/agent/reports/stream"
BEGIN_SECONDS = 60
_MARK = re.compile(rb"mark-(\d+)\b")


@dataclass(frozen=True)
class Server:
    """A process that answers."""

    url: str
    process: psutil.Process

    def resident_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass(frozen=True)
class Replica(Server):
    """An api, its people and the key of its operator."""

    operator: str

    def headers(self, person: str) -> dict[str, str]:
        """Of that person's browser."""
        cookie = Sessions(SignedTokens((SECRET,), lambda: datetime.now(UTC))).issue(person)
        return {"Cookie": f"{SESSION}={cookie}", "Origin": self.url}

    def runner_headers(self, uid: str) -> dict[str, str]:
        """Of the runner of that run's first attempt."""
        now = int(time.time())
        claims = execution_claims(
            namespace="default",
            execution="run",
            execution_uid=uid,
            attempt=1,
            agent="agent",
            cap_nanos=None,
            cap_tokens=None,
            correlation_id="",
            issued=now,
            expires=now + 600,
        )
        return {"Authorization": f"Bearer {sign_execution_key(self.operator, claims)}"}


@contextlib.contextmanager
def run_replica(
    folder: Path,
    people: Sequence[str],
    runs: int = 1,
    gateway: str = "",
    private: str = "",
    redis: str = "",
    model: str = "scripted/designer",
    launcher: Sequence[str] = (sys.executable,),
) -> Iterator[Replica]:
    """Ready, with what its people have. `private`: its key at the gateway; `redis`: where its event
    log is, if not in a file; `model`: who answers in the chat; `launcher`: starts the module."""
    operator, port = new_private_key(), free_port()
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "operator.pem").write_text(public_pem(operator))
    order = Order(
        port=port,
        people=people,
        runs=runs,
        gateway=gateway,
        private=private,
        redis=redis,
        model=model,
    )
    (folder / "order.json").write_text(order.model_dump_json())
    command = [*launcher, "-m", "bench.replica_process", str(folder)]
    with _serving(command, port, folder / "replica.log") as found:
        yield Replica(found.url, found.process, operator)


@contextlib.contextmanager
def run_bare_api(folder: Path) -> Iterator[Server]:
    """The neighbour that does nothing else."""
    port = free_port()
    command = [sys.executable, "-m", "bench.bare_api", str(port)]
    with _serving(command, port, folder / "bare.log") as found:
        yield found


@contextlib.contextmanager
def _serving(command: list[str], port: int, log: Path) -> Iterator[Server]:
    with running(command, PYTHON, log) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, process, any_answer=True)
        yield Server(url, psutil.Process(process.pid))
        assert process.poll() is None, log.read_text()[-2000:]


@dataclass
class Screen:
    """An open stream, and when it heard each mark; instants are time.monotonic() seconds."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    heard: dict[int, float] = field(default_factory=dict)
    _news: defaultdict[int, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )

    async def follow(self, client: aiohttp.ClientSession, url: str, **headers: str) -> None:
        """Until cancelled."""
        async with client.get(f"{url}{STREAM}", headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            async for line in answer.content:
                if line.startswith(b"event: snapshot"):
                    self.begun.set()
                elif line.startswith(b"data: "):
                    self._note(line)

    def _note(self, line: bytes) -> None:
        for found in _MARK.findall(line):
            mark = int(found)
            self.heard.setdefault(mark, time.monotonic())
            self._news[mark].set()

    async def hears(self, mark: int, seconds: float = 30) -> float:
        """When it heard that."""
        async with asyncio.timeout(seconds):
            await self._news[mark].wait()
        return self.heard[mark]


@asynccontextmanager
async def screens(
    client: aiohttp.ClientSession, url: str, browsers: Sequence[dict[str, str]]
) -> AsyncIterator[list[Screen]]:
    """A stream for each of these headers, all of which have begun."""
    found = [Screen() for _ in browsers]
    async with asyncio.TaskGroup() as group:
        following: list[asyncio.Task[None]] = []
        for at in range(0, len(found), 50):
            part = found[at : at + 50]
            for screen, headers in zip(part, browsers[at : at + 50], strict=True):
                following.append(group.create_task(screen.follow(client, url, **headers)))
            async with asyncio.timeout(BEGIN_SECONDS):
                await asyncio.gather(*(each.begun.wait() for each in part))
        yield found
        for each in following:
            each.cancel()


def open_client() -> aiohttp.ClientSession:
    """Of as many browsers as there are headers: it keeps no cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
        read_bufsize=2**20,
    )


async def deliver(
    client: aiohttp.ClientSession, replica: Replica, uid: str, number: int, mark: int
) -> None:
    """As a runner sends event `number` of a run; its text has the mark."""
    url = f"{replica.url}/ingest/v1/executions/{uid}/attempts/1/events?first={number}"
    line = json.dumps({"type": "assistant", "text": f"mark-{mark} and some words more"})
    headers = replica.runner_headers(uid)
    async with client.post(url, data=f"{line}\n", headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def runs_of(client: aiohttp.ClientSession, replica: Replica, person: str) -> list[str]:
    """The uids of a person's runs."""
    headers = replica.headers(person)
    async with client.get(f"{replica.url}/api/executions", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return [str(each["id"]) for each in (await answer.json())["items"]]
