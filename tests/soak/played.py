"""A soak without nodes: the pods are played by kwok, all else is real."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from redis.asyncio import Redis

from heliostat_gateway.redis_state.scripts import MONEY
from soak.cluster_api import ClusterApi
from soak.ground import NODES, Ground
from soak.place import NAMESPACE, Ledger
from soak.programs import Use
from soak.restarts import PARTS, Part
from soak.seen import Run
from support.kubectl import Kubectl

_LOST_SECONDS = 2
_BOOK_SECONDS = 60
_ROWS = "SELECT execution, attempt, sum(cost_nanos) FROM requests GROUP BY 1, 2"


@dataclass(frozen=True)
class PlayedPlace:
    """Implements soak.place.Place over the programs of this machine."""

    ground: Ground
    api: ClusterApi
    parts: frozenset[Part] = field(default=frozenset(PARTS))

    @property
    def kubectl(self) -> Kubectl:
        return self.ground.address.kubectl

    @property
    def gateway_url(self) -> str:
        return self.ground.gateway_url

    @property
    def signing_key(self) -> str:
        return self.ground.signing_key

    async def evict(self, pod: str) -> bool:
        return await self.api.evict(NAMESPACE, pod)

    async def restart(self, part: Part, times: int) -> None:
        ground = self.ground
        match part:
            case "operator":
                ground.operator.kill()
                ground.operator.launch()
            case "API server":
                await asyncio.to_thread(ground.api_server.restart)
                for each in ground.others:
                    each.kill()
                    each.launch()
            case "Redis":
                await asyncio.to_thread(ground.redis.kill)
                await asyncio.to_thread(ground.redis.start)
            case "node":
                await self._lose(f"node-{times % NODES}")

    async def _lose(self, node: str) -> None:
        lost = await self.api.lose(node)
        await asyncio.sleep(_LOST_SECONDS)  # for so long it takes no pods
        while lost and not await self.api.find(node):
            await asyncio.sleep(0.2)

    def measure_operator(self) -> Use | None:
        return self.ground.operator.measure()

    def revive_operator(self) -> bool:
        ended = not self.ground.operator.is_alive
        if ended:
            self.ground.operator.launch()
        return ended

    async def read_ledger(self, runs: Iterable[Run]) -> Ledger:
        """The rows of the file itself, when no record waits in Redis."""
        del runs
        async with Redis.from_url(self.ground.redis.url) as redis, asyncio.timeout(_BOOK_SECONDS):
            while await redis.xlen(f"{MONEY}records"):
                await asyncio.sleep(0.2)
        found: dict[str, dict[int, int]] = {}
        uri = f"file:{self.ground.rows}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as file:
            for uid, attempt, cost in file.execute(_ROWS):
                found.setdefault(uid, {})[attempt] = cost
        return found
