"""The api over a folder: SQLite and the embedded world, without an operator."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from fastapi import FastAPI
from pydantic import JsonValue

from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.main import create_app
from heliostat_api.base.person import LOCAL
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.events.log import Report
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.people.sessions import Sessions
from heliostat_api.people.signed_tokens import SignedTokens
from heliostat_api.records.managers import APPLIER
from heliostat_api.web.credentials import SESSION
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.logs import EmbeddedLogs
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.worlds import AGENT, JsonObject, Ref

NAMESPACE = "agents"
ORIGIN = "http://localhost:8080"
SECRET = b"the secret of sessions in tests!"
PERSON = f"person:{LOCAL.id}"


@dataclass
class Clock:
    """Time as it passes, and as far as a test moves it."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class ApiPlace:
    """An api and all that it works with."""

    world: EmbeddedWorld
    documents: SqliteDocuments
    log: SqliteEventLog
    folder: StateFolder
    clock: Clock = field(default_factory=Clock)

    def dependencies(self) -> Dependencies:
        return Dependencies(
            world=self.world.as_manager,
            logs=EmbeddedLogs(self.world, self.folder),
            keys_dir=self.folder.public_keys,
            documents=self.documents,
            log=self.log,
            session_secrets=(SECRET,),
            hosts=frozenset(),
            namespace=NAMESPACE,
            owner=LOCAL.id,
            clock=self.clock,
        )

    def surroundings_with(self, applier: EmbeddedWorld) -> Dependencies:
        """The same with a test's own world for what the recorder and activation see and write."""
        other = self.world.as_manager
        return replace(
            self.dependencies(), world=lambda name: applier if name == APPLIER else other(name)
        )

    def app(self) -> FastAPI:
        return create_app(self.dependencies())

    async def agent(self, name: str) -> JsonObject | None:
        return await self.world.get(Ref(AGENT, NAMESPACE, name))

    async def heard(self) -> list[Report]:
        """Every report to the local person."""
        found = await self.log.read([PERSON], 0, limit=1000)
        return [each.report for each in found.reports]


@asynccontextmanager
async def api_place(folder: Path) -> AsyncIterator[ApiPlace]:
    """Opened, and closed at the end."""
    state = StateFolder(folder)
    with closing(Store(state.world_file)) as store:
        documents = open_sqlite(state.documents_file)
        log = SqliteEventLog(state.events_file)
        try:
            yield ApiPlace(EmbeddedWorld(store), documents, log, state)
        finally:
            await log.close()
            await documents.close()


def session_headers() -> dict[str, str]:
    """Of the local person's browser."""
    cookie = Sessions(SignedTokens((SECRET,), lambda: datetime.now(UTC))).issue(LOCAL.id)
    return {"Cookie": f"{SESSION}={cookie}", "Origin": ORIGIN}


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """The local person's browser, while the app runs."""
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(
            transport=transport, base_url=ORIGIN, headers=session_headers(), timeout=30
        ) as client:
            yield client


def body_of(answer: httpx2.Response, status: int) -> Mapping[str, JsonValue]:
    """The JSON of an answer that has that status."""
    assert answer.status_code == status, answer.text
    body: Mapping[str, JsonValue] = answer.json()
    return body
