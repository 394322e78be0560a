"""The endpoints of reports on the writer's rows, each behind an admin's key."""

from dataclasses import dataclass

from fastapi import APIRouter, Depends
from redis.asyncio import Redis

from heliostat_gateway.access.keyring import KeyRing
from heliostat_gateway.observability.metrics import Metrics
from heliostat_gateway.providers.scripted import open_scripted
from heliostat_gateway.providers.session import SharedSession
from heliostat_gateway.redis_state.keys import SharedKeyStore
from heliostat_gateway.redis_state.restrictions import RedisRestrictionPublisher
from heliostat_gateway.reports.desk import Desk
from heliostat_gateway.reports.office import open_desk
from heliostat_gateway.serving.admission import admits
from heliostat_gateway.serving.routers import build_router
from heliostat_gateway.settings import Settings
from heliostat_gateway.storage import Storage


@dataclass(frozen=True)
class Reports:
    """The desk, and who may ask it."""

    desk: Desk
    keys: KeyRing
    store: SharedKeyStore

    async def start(self) -> None:
        """Begins to watch and to hear of keys."""
        await self.store.start()
        await self.desk.start()

    async def close(self) -> None:
        """Ends both."""
        await self.desk.close()
        await self.store.close()

    def routes(self) -> APIRouter:
        """The routes under /admin, each behind the token."""

        router = APIRouter(prefix="/admin", dependencies=[Depends(admits(self.keys))])
        router.include_router(self.desk.routes())
        return router


def open_reports(settings: Settings, storage: Storage, redis: Redis, metrics: Metrics) -> Reports:
    """Reports over a storage whose tables are there. Raises SettingsError, RoutesError.

    Pauses that the anomaly check makes are told to all gateways.
    """
    # Only for its prices: nothing is asked here, and nothing is written to this bill.
    router = build_router(settings, open_scripted(settings), SharedSession())
    store = SharedKeyStore(redis)
    failed = metrics.anomaly_failures.add
    desk = open_desk(settings, storage, router, failed, RedisRestrictionPublisher(redis))
    return Reports(
        desk, KeyRing(settings.keys_dir, store=store, api_folder=settings.api_keys_dir), store
    )
