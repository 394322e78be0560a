"""The api for many people over a world in memory, and browsers that talk to it."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import httpx2
from fastapi import FastAPI

from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.main import create_app
from heliostat_api.app.server import ApiServer
from heliostat_api.app.settings import ApiSettings
from heliostat_api.chat.model_connection import ModelConnection
from heliostat_api.documents.port import Documents
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.events.log import EventLog
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.gateway.client import GatewayPlace
from heliostat_api.people.sessions import Sessions
from heliostat_api.people.signed_tokens import SignedTokens
from heliostat_api.web.credentials import SESSION
from heliostat_api.web.limits import Buckets, LocalBuckets
from heliostat_cli.embedded.gateways import EmbeddedServer, serving_app
from heliostat_cli.embedded.ports import port_of
from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject, NotFoundError, World
from support.api_services import AppServices
from support.builders.resources import make_agent, make_execution
from support.memory_world import MemoryWorld

URL = "http://api.test"
PAGE = {"Accept": "text/html,application/xhtml+xml"}
SECRET = b"s" * 32


class NoLogs:
    """No pod ever printed anything."""

    async def read_log(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncIterator[str]:
        raise NotFoundError(f"{namespace}/{pod} {follow} {tail}")
        yield ""


@dataclass
class Clock:
    """A time that tests move on."""

    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, passed: timedelta) -> None:
        self.now += passed


class _Server(EmbeddedServer, ApiServer):
    pass


@dataclass
class ApiApp:
    """An app, and what is behind it."""

    app: FastAPI
    world: MemoryWorld
    documents: SqliteDocuments
    clock: Clock
    dependencies: Dependencies
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = Sessions(SignedTokens((SECRET,), self.clock))

    @property
    def parts(self) -> AppServices:
        return AppServices(self.app)

    def browser(self, person_id: str | None = None, url: str = URL) -> httpx2.AsyncClient:
        """Without any session, or with that person's."""
        name = f"__Host-{SESSION}" if url.startswith("https:") else SESSION
        cookies = {name: self.sessions.issue(person_id)} if person_id else {}
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, client=("192.0.2.1", 1234)),
            base_url=url,
            headers={"Origin": url},
            cookies=cookies,
        )

    async def give_agent(self, owner: str, name: str = "sales") -> str:
        """Somebody's Agent, seen by the recorder; its uid."""
        agent = make_agent(name)
        return await self.give(owner, {**agent.to_json(), "kind": "Agent"})

    async def give_execution(self, owner: str, name: str = "sales-1") -> str:
        """Somebody's Execution, seen by the recorder; its uid."""
        execution = make_execution(name)
        return await self.give(owner, {**execution.to_json(), "kind": "Execution"})

    async def give(self, owner: str, obj: JsonObject) -> str:
        """Somebody's, seen by the recorder; the id of its document."""
        meta = obj["metadata"]
        assert isinstance(meta, dict)
        owned = {**meta, "annotations": {OWNER_ANNOTATION: owner}}
        stored = self.world.put({**obj, "metadata": owned})
        kind = AGENT if obj["kind"] == "Agent" else EXECUTION
        path = await self.parts.recorder.see(kind, stored)
        return path.partition("/")[2]

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """On a port of this machine; its address."""
        with socket.create_server(("127.0.0.1", port)) as listening:
            async with serving_app(self.app, listening, _Server):
                yield f"http://127.0.0.1:{port_of(listening)}"


def around_of(
    folder: Path,
    world: World,
    documents: Documents,
    log: EventLog,
    clock: Clock,
    gateway: GatewayPlace | None,
) -> Dependencies:
    """Of an api for many people."""
    return Dependencies(
        world=lambda _: world,
        logs=NoLogs(),
        keys_dir=folder / "keys",
        documents=documents,
        log=log,
        session_secrets=(SECRET,),
        hosts=frozenset(),
        namespace="default",
        owner=None,
        clock=clock,
        settings=ApiSettings(),
        gateway=gateway,
    )


@asynccontextmanager
async def api_app(
    folder: Path,
    settings: ApiSettings | None = None,
    gateway: GatewayPlace | None = None,
    model_connection: ModelConnection | None = None,
    log: EventLog | None = None,
    buckets: Buckets | None = None,
) -> AsyncIterator[ApiApp]:
    """Closed at the end. Its stores are files below `folder`, so two over one folder are replicas,
    once `log` is one that they share."""
    world, clock = MemoryWorld(), Clock()
    documents = open_sqlite(folder / "documents.sqlite")
    log = log or SqliteEventLog(folder / "events.sqlite")
    dependencies = replace(
        around_of(folder, world, documents, log, clock, gateway),
        settings=settings or ApiSettings(),
        model_connection=model_connection,
        buckets=LocalBuckets(monotonic) if buckets is None else buckets,
    )
    try:
        yield ApiApp(create_app(dependencies), world, documents, clock, dependencies)
    finally:
        await log.close()
        await documents.close()
