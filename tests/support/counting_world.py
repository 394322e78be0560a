"""A world in memory that remembers what it was asked."""

from collections.abc import AsyncIterator

from heliostat_core.worlds import EVERYTHING, JsonObject, Kind, Ref, Selection
from support.memory_world import MemoryWorld


class CountingWorld(MemoryWorld):
    """Remembers every request, as a verb and a kind."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def pause(self) -> None:
        """Comes before each write: time passes in a world where that matters."""

    async def get(self, ref: Ref) -> JsonObject | None:
        self.asked.append(f"get {ref.kind.name}")
        return await super().get(ref)

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        self.asked.append(f"list {kind.name}")
        async for each in super().list(kind, selection):
            yield each

    async def create(self, obj: JsonObject) -> JsonObject:
        self.asked.append(f"create {obj['kind']}")
        await self.pause()
        return await super().create(obj)

    async def apply(self, obj: JsonObject) -> JsonObject:
        self.asked.append(f"apply {obj['kind']}")
        await self.pause()
        return await super().apply(obj)

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        self.asked.append(f"status {obj['kind']}")
        await self.pause()
        return await super().patch_status(obj)

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        self.asked.append(f"delete {ref.kind.name}")
        await self.pause()
        return await super().delete(ref, uid=uid, grace_seconds=grace_seconds)
