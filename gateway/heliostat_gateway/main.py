"""Puts the gateway together."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from heliostat_gateway.admin import Admin
from heliostat_gateway.calls import OpenCalls
from heliostat_gateway.endpoints import add_endpoints
from heliostat_gateway.exchange import Books
from heliostat_gateway.keyring import KeyRing
from heliostat_gateway.ledger import Ledger
from heliostat_gateway.messages import Messages
from heliostat_gateway.metrics import Metrics
from heliostat_gateway.revocations import Revocations
from heliostat_gateway.routers import Connections, build_router, read_all_scenarios
from heliostat_gateway.scripted.bill import Bill
from heliostat_gateway.scripted.provider import ScriptedProvider
from heliostat_gateway.settings import Settings, SettingsError, read_settings
from heliostat_gateway.storage import Storage

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gateway:
    """The parts of a running gateway."""

    settings: Settings
    storage: Storage
    messages: Messages
    admin: Admin
    scripted: ScriptedProvider
    connections: Connections

    async def close(self) -> None:
        """Ends and books every open call, then closes everything."""
        await self.messages.books.calls.end_all()
        await self.scripted.close()
        await self.connections.close()
        self.storage.close()


def build_gateway(settings: Settings) -> Gateway:
    """A gateway over the data folder. Raises SettingsError, ScenarioError, StorageError."""
    scenarios = read_all_scenarios(settings)
    scripted = ScriptedProvider(scenarios, Bill(settings.data_dir / "scripted-bill.jsonl"))
    connections = Connections()
    router = build_router(settings, scripted, connections)
    if settings.llm_required and router.missing:
        raise SettingsError(f"LLM_REQUIRED is true, but: {router.missing}.")
    storage = Storage(settings.data_dir)
    ledger = Ledger(storage)
    metrics = Metrics()
    recovered = ledger.recover(int(time.time() * 1000))
    if recovered:
        metrics.recovered.inc(recovered)
        _LOG.warning("%d calls of a gateway that died were booked as estimated", recovered)
    keys = KeyRing(settings.keys_dir)
    revocations = Revocations(storage)
    calls = OpenCalls()
    return Gateway(
        settings=settings,
        storage=storage,
        messages=Messages(keys, revocations, router, Books(ledger, calls, metrics)),
        admin=Admin(keys, revocations, calls, ledger, router, scripted.bill),
        scripted=scripted,
        connections=connections,
    )


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; `settings` of the environment by default. Raises as build_gateway does."""
    gateway = build_gateway(read_settings() if settings is None else settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await gateway.close()

    app = FastAPI(title="Heliostat gateway", lifespan=lifespan)
    app.state.gateway = gateway
    add_endpoints(app, gateway.messages, gateway.admin, gateway.settings)
    return app
