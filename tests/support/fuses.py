"""Stores and a world whose process dies at a given step."""

from dataclasses import dataclass

from heliostat_api.documents.port import Delete, Put
from heliostat_api.documents.sqlite.store import SqliteDocuments
from heliostat_api.events.log import Report
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.worlds import JsonObject, Ref


class KilledError(BaseException):
    """The process is gone at this point."""


@dataclass
class Fuse:
    """Counts steps that reach a disk; where none is left the process dies."""

    left: int

    def step(self) -> None:
        if self.left == 0:
            raise KilledError
        self.left -= 1


class FusedWorld(EmbeddedWorld):
    fuse = Fuse(0)

    async def apply(self, obj: JsonObject) -> JsonObject:
        self.fuse.step()
        return await super().apply(obj)

    async def create(self, obj: JsonObject) -> JsonObject:
        self.fuse.step()
        return await super().create(obj)

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        self.fuse.step()
        return await super().delete(ref, uid=uid, grace_seconds=grace_seconds)


class FusedDocuments(SqliteDocuments):
    fuse = Fuse(0)

    async def commit(self, *writes: Put | Delete) -> None:
        self.fuse.step()
        await super().commit(*writes)


class FusedLog(SqliteEventLog):
    fuse = Fuse(0)

    async def append(self, audience: str, report: Report, key: str = "") -> None:
        self.fuse.step()
        await super().append(audience, report, key)
