"""The stream over HTTP at two replicas, which share a Redis and a Firestore: wherever a browser is
dropped, and whichever replica it comes back to, it hears exactly what it missed."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2

from heliostat_api.app.main import create_app
from heliostat_api.documents.port import Documents
from heliostat_api.events.redis_log import RedisEventLog
from heliostat_api.people.identities import new_guest_id
from heliostat_api.web.credentials import SESSION
from heliostat_core.keys import execution_claims, new_private_key, public_pem, sign_execution_key
from support.firestore_emulator import FirestoreEmulator
from support.redis_server import RedisServer
from support.shared_api import ApiApp, api_app
from support.stores import open_emulated

EVENTS = 4
DEADLINE_SECONDS = 20


@dataclass
class Screen:
    """A browser: what it was told so far, and where it goes on when it is dropped."""

    cookie: str
    cursor: str = ""
    snapshots: int = 0
    told: list[int] = field(default_factory=list)

    async def read(self, url: str, until: int) -> None:
        """Connects, reads until it was told so many events, and is dropped."""
        headers = {"Last-Event-ID": self.cursor} if self.cursor else {}
        async with (
            httpx2.AsyncClient(base_url=url, cookies={SESSION: self.cookie}) as browser,
            browser.stream(
                "GET", "/agent/reports/stream", headers=headers, timeout=DEADLINE_SECONDS
            ) as answer,
        ):
            assert answer.status_code == 200
            await self._take(answer.aiter_lines(), until)

    async def _take(self, lines: AsyncIterator[str], until: int) -> None:
        fields: dict[str, str] = {}
        async for line in lines:
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                self._note(fields)
                fields = {}
                if len(self.told) >= until:
                    return

    def _note(self, fields: dict[str, str]) -> None:
        self.cursor = fields.get("id", self.cursor)
        self.snapshots += fields["event"] == "snapshot"
        body = json.loads(fields["data"])
        if body.get("type") == "execution.output":
            self.told += [each["number"] for each in body["payload"]["events"]]


@dataclass(frozen=True)
class Run:
    """Somebody's run, and its runner."""

    uid: str
    operator: str

    async def tell(self, replica: ApiApp, first: int, end: int) -> None:
        """Delivers those events, one a request."""
        now = int(time.time())
        claims = execution_claims(
            namespace="default",
            execution="run",
            execution_uid=self.uid,
            attempt=1,
            agent="sales",
            cap_nanos=None,
            cap_tokens=None,
            correlation_id="",
            issued=now,
            expires=now + 600,
        )
        key = {"Authorization": f"Bearer {sign_execution_key(self.operator, claims)}"}
        path = f"/ingest/v1/executions/{self.uid}/attempts/1/events"
        async with replica.browser() as runner:
            for number in range(first, end):
                line = json.dumps({"type": "assistant", "number": number})
                answer = await runner.post(
                    path, params={"first": number}, content=line, headers=key
                )
                assert answer.status_code == 200, answer.text


@dataclass(frozen=True)
class Place:
    """What all replicas share."""

    folder: Path
    redis: RedisServer
    documents: Documents
    operator: str = field(default_factory=new_private_key)

    @asynccontextmanager
    async def replica(self) -> AsyncIterator[ApiApp]:
        """Another one, which ends with the block."""
        (self.folder / "keys").mkdir(exist_ok=True)
        (self.folder / "keys" / "operator.pem").write_text(public_pem(self.operator))
        async with api_app(self.folder, log=RedisEventLog(self.redis.url)) as api:
            dependencies = replace(api.dependencies, documents=self.documents)
            yield replace(api, app=create_app(dependencies), dependencies=dependencies)

    async def drop_at(self, index: int, other: ApiApp, url: str) -> Screen:
        """A browser that is dropped after so many events, while its replica ends for good.

        The rest is told meanwhile, some of it twice; the browser comes back to `other` or to a new
        replica, and hears one more event there.
        """
        person = new_guest_id()
        run = Run(await other.give_execution(person, f"run-{index}"), self.operator)
        screen = Screen(other.sessions.issue(person))
        async with self.replica() as one, one.serving() as here:
            await screen.read(here, 0)
            await run.tell(one, 0, index)
            if index:
                await screen.read(here, index)
        await run.tell(other, max(0, index - 1), EVENTS)
        if index % 2:
            await self._come_back(screen, run, other, url)
        else:
            async with self.replica() as again, again.serving() as there:
                await self._come_back(screen, run, again, there)
        return screen

    async def _come_back(self, screen: Screen, run: Run, replica: ApiApp, url: str) -> None:
        if len(screen.told) < EVENTS:
            await screen.read(url, EVENTS)
        await run.tell(replica, EVENTS - 1, EVENTS + 1)
        await screen.read(url, EVENTS + 1)


async def test_dropped_at_every_event_it_hears_exactly_the_rest_at_any_replica(
    tmp_path: Path, redis_server: RedisServer, firestore_emulator: FirestoreEmulator
) -> None:
    documents = open_emulated(firestore_emulator)
    place = Place(tmp_path, redis_server, documents)
    async with place.replica() as other, other.serving() as url:
        for index in range(EVENTS + 1):
            screen = await place.drop_at(index, other, url)
            assert screen.told == list(range(EVENTS + 1)), f"dropped after {index}"
            assert screen.snapshots == 1
    await documents.close()
