"""A World that dies under its user at the n-th call, before or after the call took effect."""

from collections.abc import AsyncIterator

from heliostat_core.worlds import (
    EVERYTHING,
    Change,
    JsonObject,
    Kind,
    Ref,
    Selection,
    UnavailableError,
    World,
)


class CrashError(Exception):
    """The operator's process is gone; nothing of it goes on."""


class CrashingWorld:
    """Notes every call. The n-th ends in a CrashError, and so does every later one; or, when its
    answer is lost, it takes effect and ends in an UnavailableError, and life goes on."""

    def __init__(self, world: World, crash_at: int, *, answer_lost: bool) -> None:
        self._world = world
        self._crash_at = crash_at
        self._answer_lost = answer_lost
        self.made: list[str] = []
        """Verb and kind of each call."""

    @property
    def calls(self) -> int:
        return len(self.made)

    @property
    def name(self) -> str:
        return self._world.name

    @property
    def has_failed(self) -> bool:
        return self.calls >= self._crash_at

    async def get(self, ref: Ref) -> JsonObject | None:
        self._before(f"get {ref.kind.name}")
        found = await self._world.get(ref)
        self._afterwards()
        return found

    async def list(
        self, kind: Kind, selection: Selection = EVERYTHING
    ) -> AsyncIterator[JsonObject]:
        self._before(f"list {kind.name}")
        async for each in self._world.list(kind, selection):
            yield each
        self._afterwards()

    def watch(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Change]:
        return self._world.watch(kind, selection)

    async def create(self, obj: JsonObject) -> JsonObject:
        self._before(f"create {obj['kind']}")
        made = await self._world.create(obj)
        self._afterwards()
        return made

    async def apply(self, obj: JsonObject) -> JsonObject:
        self._before(f"apply {obj['kind']}")
        applied = await self._world.apply(obj)
        self._afterwards()
        return applied

    async def patch_status(self, obj: JsonObject) -> JsonObject:
        self._before(f"patch_status {obj['kind']}")
        patched = await self._world.patch_status(obj)
        self._afterwards()
        return patched

    async def delete(
        self, ref: Ref, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        self._before(f"delete {ref.kind.name}")
        deleted = await self._world.delete(ref, uid=uid, grace_seconds=grace_seconds)
        self._afterwards()
        return deleted

    def _before(self, call: str) -> None:
        self.made.append(call)
        if self.has_failed and not self._answer_lost:
            raise CrashError(f"died before call {self.calls}")

    def _afterwards(self) -> None:
        if self._answer_lost and self.calls == self._crash_at:
            raise UnavailableError(f"the answer to call {self.calls} is lost")
