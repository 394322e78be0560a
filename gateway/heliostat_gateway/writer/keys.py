"""User and service keys on the writer's disk, beside the rows.

They outlive a Redis that has lost its memory, and go from one gateway alone to several and back:
its keys are in the same file.
"""

import asyncio
import logging
from typing import Final

from heliostat_gateway.access.key_store import SqliteKeyStore
from heliostat_gateway.access.keys import PREFIX
from heliostat_gateway.redis_state.keys import SharedKeyStore
from heliostat_gateway.storage import Storage, StorageError
from heliostat_gateway.tasks import end_task

_LOG = logging.getLogger(__name__)
_STEP_SECONDS: Final = 0.5


class KeptKeys:
    """Keeps the disk like Redis, and fills Redis from the disk when it is empty."""

    def __init__(self, storage: Storage, store: SharedKeyStore) -> None:
        self._disk = SqliteKeyStore(storage)
        self._store = store
        self._tasks: list[asyncio.Task[None]] = []
        self._was_told = False

    async def start(self) -> None:
        """Begins to work; the store hears of changes already."""
        self._tasks = [asyncio.create_task(self._keep_stepping())]

    async def close(self) -> None:
        """Ends."""
        await end_task(*self._tasks)

    async def step(self) -> None:
        """What has changed goes to the disk; what was lost comes back. Raises StorageError."""
        for record in self._store.records():
            if self._disk.find(record.id) != record:
                await self._disk.put(record)
        if not await self._store.was_filled():
            kept = await self._disk.list(PREFIX)
            await self._store.fill(kept)
            _LOG.warning("Redis had lost the keys: %d are there again", len(kept))

    async def _keep_stepping(self) -> None:
        while True:
            try:
                await self.step()
                self._was_told = False
            except StorageError as error:
                if not self._was_told:
                    _LOG.warning("keys are not kept on the disk for a while: %s", error)
                self._was_told = True
            except Exception:  # noqa: BLE001  without it the next loss of Redis is one of keys
                _LOG.exception("keeping keys failed")
            await asyncio.sleep(_STEP_SECONDS)
