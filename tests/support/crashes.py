"""An api that dies at its n-th write, and another one that starts on what it left."""

import json
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
from fastapi import FastAPI
from pydantic import JsonValue

from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.main import create_app
from heliostat_api.app.settings import ApiSettings
from heliostat_api.documents import port
from heliostat_api.documents.port import Delete, Put
from heliostat_api.documents.queries import SHAPES
from heliostat_api.documents.sqlite.store import SqliteDocuments, open_sqlite
from heliostat_api.events.log import Report
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.gateway.client import GatewayPlace
from heliostat_api.people.sessions import Sessions
from heliostat_api.people.signed_tokens import SignedTokens
from heliostat_api.web.credentials import SESSION
from heliostat_core import worlds
from heliostat_core.worlds import EVERYTHING, Change, JsonObject, Kind, Ref, Selection
from support.api_services import AppServices
from support.memory_world import MemoryWorld
from support.played_gateway import PlayedGateway
from support.shared_api import SECRET, URL, Clock, around_of

_RANDOM = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}|\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)?"
)
_OF_CHANCE = frozenset({"resourceVersion", "generation", "cursor", "correlationId", "sealed"})
_UNLIMITED = 10**9
_FRONT: list[FastAPI] = []
"""The app that serves for all of them: to prepare its routes takes longer than a whole test."""


class KilledError(BaseException):
    """The process is gone at this point."""


@dataclass
class Fuse:
    """Counts writes. The one after `left` of them never happens, nor does any later one; or, when
    its answer is lost, it happens, its writer is told otherwise, and life goes on."""

    left: int = _UNLIMITED
    is_answer_lost: bool = False
    has_blown: bool = False
    writes: list[str] = field(default_factory=list)
    """What each write that was tried was for: where, and a word for what it writes."""

    @property
    def is_dead(self) -> bool:
        return self.has_blown and not self.is_answer_lost

    def look(self) -> None:
        """Before a read."""
        if self.is_dead:
            raise KilledError

    def before(self, write: str) -> None:
        """Before a write."""
        self.look()
        self.writes.append(write)
        if self.left == 0 and not self.is_answer_lost:
            self.has_blown = True
            raise KilledError
        self.left -= 1

    def loses_answer(self) -> bool:
        """After a write."""
        if self.is_answer_lost and self.left == -1 and not self.has_blown:
            self.has_blown = True
            return True
        return False


class FusedDocuments(SqliteDocuments):
    fuse = Fuse()

    def __init__(self, path: Path) -> None:
        super().__init__(path, SHAPES)
        # Only processes die here, no machine: nothing has to reach a disk.
        self._writer._connection.execute("PRAGMA synchronous = OFF")

    async def get(self, path: str) -> port.Document | None:
        self.fuse.look()
        return await super().get(path)

    async def query(self, query: port.Query) -> port.Page:
        self.fuse.look()
        return await super().query(query)

    async def commit(self, *writes: Put | Delete) -> None:
        self.fuse.before(f"documents {' '.join(each.path.split('/')[0] for each in writes)}")
        await super().commit(*writes)
        if self.fuse.loses_answer():
            raise port.UnavailableError("the answer of the store is lost")


class FusedLog(SqliteEventLog):
    fuse = Fuse()

    async def append(self, audience: str, report: Report, key: str = "") -> None:
        self.fuse.before("log append")
        await super().append(audience, report, key)
        self._after()

    async def forget(self, audience: str) -> None:
        self.fuse.before("log forget")
        await super().forget(audience)
        self._after()

    async def erase(self, audience: str) -> None:
        self.fuse.before("log erase")
        await super().erase(audience)
        self._after()

    def _after(self) -> None:
        if self.fuse.loses_answer():
            raise port.UnavailableError("the answer of the log is lost")


@dataclass
class FusedWorld:
    """A world that outlives who writes to it."""

    world: MemoryWorld
    fuse: Fuse
    name: str = "fused"

    async def get(self, ref: Ref) -> JsonObject | None:
        self.fuse.look()
        return await self.world.get(ref)

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        self.fuse.look()
        async for each in self.world.list(kind, selection):
            yield each

    def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        return self.world.watch(kind, selection)

    async def create(self, obj: JsonObject) -> JsonObject:
        self.fuse.before(f"world create {obj['kind']}")
        return self._after(await self.world.create(obj))

    async def apply(self, obj: JsonObject) -> JsonObject:
        self.fuse.before(f"world apply {obj['kind']}")
        return self._after(await self.world.apply(obj))

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        self.fuse.before(f"world patch_status {obj['kind']}")
        return self._after(await self.world.patch_status(obj))

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        self.fuse.before(f"world delete {ref.kind.name}")
        deleted = await self.world.delete(ref, uid=uid, grace_seconds=grace_seconds)
        self._after({})
        return deleted

    def _after(self, answer: JsonObject) -> JsonObject:
        if self.fuse.loses_answer():
            raise worlds.UnavailableError("the answer of the world is lost")
        return answer


@dataclass
class FusedGateway:
    """The way to a gateway that outlives who asks it."""

    gateway: PlayedGateway
    fuse: Fuse

    @property
    def place(self) -> GatewayPlace:
        return replace(self.gateway.place, transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET" or request.url.path.endswith("/check"):
            self.fuse.look()
            return self.gateway.answer(request)
        self.fuse.before(f"gateway {request.method}")
        answer = self.gateway.answer(request)
        if self.fuse.loses_answer():
            raise httpx2.ReadError("the answer of the gateway is lost")
        return answer


@dataclass(frozen=True)
class Server:
    """An api that runs, without what it does by itself."""

    app: FastAPI
    stand: "Stand"
    dependencies: Dependencies

    @property
    def ids(self) -> dict[str, str]:
        return self.stand.ids

    @property
    def parts(self) -> AppServices:
        return AppServices(self.app)

    def browser(self, cookie: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, client=("192.0.2.1", 1234)),
            base_url=URL,
            headers={"Origin": URL},
            cookies={SESSION: cookie},
        )


@dataclass
class Stand:
    """What outlives an api: its files, the world, the gateway."""

    folder: Path
    world: MemoryWorld = field(default_factory=MemoryWorld)
    gateway: PlayedGateway = field(default_factory=PlayedGateway)
    clock: Clock = field(default_factory=Clock)
    ids: dict[str, str] = field(default_factory=dict)
    """Names of what was made before."""

    @property
    def documents(self) -> Path:
        return self.folder / "documents.sqlite"

    @property
    def events(self) -> Path:
        return self.folder / "events.sqlite"

    @property
    def sessions(self) -> Sessions:
        return Sessions(SignedTokens((SECRET,), self.clock))

    def copy(self, folder: Path) -> "Stand":
        """The same once more; nobody has its files open."""
        shutil.copytree(self.folder, folder)
        return Stand(
            folder, self.world.copy(), self.gateway.copy(), Clock(self.clock.now), dict(self.ids)
        )

    @asynccontextmanager
    async def server(self, fuse: Fuse | None = None) -> AsyncIterator[Server]:
        """An api over all of it."""
        fuse = fuse or Fuse()
        if not self.documents.exists():
            await open_sqlite(self.documents).close()
        documents, log = FusedDocuments(self.documents), FusedLog(self.events)
        world = FusedWorld(self.world, fuse)
        documents.fuse = log.fuse = fuse
        dependencies = around_of(
            self.folder, world, documents, log, self.clock, FusedGateway(self.gateway, fuse).place
        )
        dependencies = replace(
            dependencies, settings=ApiSettings(webhook_networks=("127.0.0.0/8",))
        )
        try:
            yield Server(_served(create_app(dependencies)), self, dependencies)
        finally:
            await log.close()
            await documents.close()


def _served(app: FastAPI) -> FastAPI:
    """An app that does what that one would do."""
    if not _FRONT:
        _FRONT.append(app)
    for name in ("services", "ingest", "ingest_keyring", "ingest_pod_tokens"):
        setattr(_FRONT[0].state, name, getattr(app.state, name))
    return _FRONT[0]


def left_by(stand: Stand) -> list[str]:
    """All that is stored anywhere, without what differs by chance."""
    found = [*_documents(stand), *_reports(stand), *_objects(stand), *stand.gateway.left()]
    suffixes = set(re.findall(r'"suffix": "(\w+)"', "\n".join(found)))
    return sorted(_plain(each, suffixes) for each in found)


def _documents(stand: Stand) -> Iterator[str]:
    with closing(sqlite3.connect(stand.documents)) as connection:
        for collection, id_, text in connection.execute(
            "SELECT collection, id, fields FROM documents WHERE collection != 'places'"
        ):  # a place that is lost is free after a while, and its document says so at the next one
            fields = json.loads(text)
            for name in ("revision", "untold"):  # of the resource; until somebody looks after it
                fields.pop(name, None)
            yield f"{collection}/{id_} {_dumped(fields)}"


def _reports(stand: Stand) -> Iterator[str]:
    """The last one of each thing: what a screen shows in the end."""
    last: dict[tuple[str, str], str] = {}
    with closing(sqlite3.connect(stand.events)) as connection:
        rows = connection.execute(
            "SELECT audience, type, payload FROM reports WHERE audience NOT LIKE '%:stop'"
            " ORDER BY id"
        )
        for audience, kind, text in rows:
            payload = json.loads(text)
            last[(audience, _subject(kind, payload))] = f"{kind} {_dumped(payload)}"
    for (audience, _), text in last.items():
        yield f"{audience} {text}"


def _subject(kind: str, payload: Mapping[str, JsonValue]) -> str:
    """The thing that a report is about."""
    change = payload.get("change")
    message = change.get("message") if isinstance(change, Mapping) else None
    found = message.get("id") if isinstance(message, Mapping) else message
    return str(payload.get("id") or found or kind)


def _objects(stand: Stand) -> Iterator[str]:
    for ref, document in stand.world.objects.items():
        yield f"{ref.kind.plural} {_dumped(document)}"


def _dumped(value: object) -> str:
    return json.dumps(_without_chance(json.loads(json.dumps(value, default=str))), sort_keys=True)


def _without_chance(value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        kept = {name: each for name, each in value.items() if name not in _OF_CHANCE and each != []}
        return {name: _without_chance(each) for name, each in kept.items()}
    return list(map(_without_chance, value)) if isinstance(value, list) else value


def _plain(text: str, suffixes: set[str]) -> str:
    for each in suffixes:
        text = text.replace(each, "SUFFIX")
    return _RANDOM.sub("*", text)
