"""The clients of the proof: they ask, read, leave, and remember how it ended."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import aiohttp

from .proof_requests import Leaving, Wanted
from .proof_script import PAUSE

_DEADLINE_SECONDS = 60.0
# After the bill tells of a stall: what was sent before it has been read by then.
_READ_SECONDS = 0.7
_LINES_BEFORE_A_STALL = 2


class Ending(StrEnum):
    """How a request ended for its client."""

    TOLD = "told"  # a whole answer, or an error that said so
    LEFT = "left"  # the client went
    BROKEN = "broken"  # the connection broke: the gateway died
    UNREACHED = "unreached"  # no gateway took the connection


@dataclass(frozen=True)
class Told:
    """What a client knows of its request. `status` is 0 without an answer."""

    wanted: Wanted
    ending: Ending
    replica: int
    status: int = 0
    request: str = ""
    provider: str = ""
    body: bytes = b""

    @property
    def is_refused(self) -> bool:
        """Whether the gateway itself did not let it in."""
        return self.status in (402, 429, 503) and not self.provider


@dataclass
class BillTail:
    """The bill's file as it grows."""

    path: Path
    latest: dict[str, dict[str, object]] = field(default_factory=dict)  # by id of the bill
    lines: Counter[str] = field(default_factory=Counter)  # by name of the request
    _offset: int = 0
    _rest: bytes = b""
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    def read(self) -> bool:
        """Takes in what is new; whether there was anything."""
        if not self.path.exists():
            return False
        with self.path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        self._offset += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            entry: dict[str, object] = json.loads(line)
            if "execution" in entry:
                self.latest[str(entry["id"])] = entry
                self.lines[str(entry["execution"])] += 1
            else:  # taken off the bill
                self.latest.pop(str(entry["id"]), None)
        return bool(whole)

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            if self.read():
                async with self._grown:
                    self._grown.notify_all()
            await asyncio.sleep(0.05)

    async def until_lines(self, name: str, count: int) -> None:
        """Waits until the bill has so many lines of a request."""
        async with self._grown:
            await self._grown.wait_for(lambda: self.lines[name] >= count)


@dataclass
class Callers:
    """Many clients at once. `done` grows; `keys` are the keys of each account by attempt."""

    urls: tuple[str, str]
    keys: Mapping[tuple[str, int], str]
    bill: BillTail
    told: list[Told] = field(default_factory=list)

    async def run(self, requests: list[Wanted], at_once: int) -> None:
        """Makes all requests."""
        waiting = iter(requests)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(_DEADLINE_SECONDS)
        ) as session:

            async def work() -> None:
                for wanted in waiting:
                    self.told.append(await self._call(session, wanted))

            async with asyncio.TaskGroup() as workers:
                for _ in range(at_once):
                    workers.create_task(work())

    async def until_done(self, count: int) -> None:
        """Waits until so many requests have ended."""
        while len(self.told) < count:
            await asyncio.sleep(0.02)

    async def _call(self, session: aiohttp.ClientSession, wanted: Wanted) -> Told:
        paused = asyncio.Event()
        for replica in (wanted.replica, 1 - wanted.replica) * 100:
            asked = asyncio.create_task(self._ask(session, wanted, replica, paused))
            moment = asyncio.create_task(self._moment(wanted, paused))
            await asyncio.wait({asked, moment}, return_when=asyncio.FIRST_COMPLETED)
            moment.cancel()
            if not asked.done():
                asked.cancel()
                await asyncio.wait({asked})
            if asked.cancelled():
                return Told(wanted, Ending.LEFT, replica)
            told = asked.result()
            if told.ending is not Ending.UNREACHED:
                return told
            await asyncio.sleep(0.1)  # both may be starting
        return told

    async def _moment(self, wanted: Wanted, paused: asyncio.Event) -> None:
        """Returns when the client shall go."""
        match wanted.leaving:
            case Leaving.NEVER:
                await asyncio.Event().wait()
            case Leaving.ANYWHERE:
                await asyncio.sleep(wanted.moment)
            case Leaving.PAUSED:
                await paused.wait()
            case Leaving.SILENT:
                await self.bill.until_lines(wanted.name, _LINES_BEFORE_A_STALL)
                await asyncio.sleep(_READ_SECONDS)

    async def _ask(
        self, session: aiohttp.ClientSession, wanted: Wanted, replica: int, paused: asyncio.Event
    ) -> Told:
        headers = {
            "authorization": f"Bearer {self.keys[wanted.account.name, wanted.attempt]}",
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
            "user-agent": f"proof/1 scripted-execution/{wanted.name}",
            "x-claude-code-session-id": wanted.name,
        }
        body = bytearray()
        status, request, provider = 0, "", ""
        ending = Ending.TOLD
        try:
            async with session.post(
                f"{self.urls[replica]}{wanted.path}",
                data=json.dumps(wanted.document(), ensure_ascii=False).encode(),
                headers=headers,
            ) as answer:
                status = answer.status
                request = answer.headers.get("x-heliostat-request-id", "")
                provider = answer.headers.get("x-heliostat-provider", "")
                async for chunk in answer.content.iter_any():
                    body += chunk
                    if wanted.leaving is Leaving.PAUSED and PAUSE.encode() in body:
                        paused.set()
        except aiohttp.ClientConnectorError:
            ending = Ending.UNREACHED
        except (aiohttp.ClientError, OSError):
            ending = Ending.BROKEN
        return Told(wanted, ending, replica, status, request, provider, bytes(body))
