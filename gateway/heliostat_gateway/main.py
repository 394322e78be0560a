"""Puts the gateway together."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI

from heliostat_gateway.access.admin_key import AdminKeyError, AdminKeyFile
from heliostat_gateway.access.admin_keys import KeyAdmin
from heliostat_gateway.access.keyring import KeyRing, Revocations
from heliostat_gateway.access.revokers import EndCalls
from heliostat_gateway.breakers import BreakerPolicy
from heliostat_gateway.calls.chain import AdmissionControl
from heliostat_gateway.calls.handler import ModelCallHandler
from heliostat_gateway.calls.lifecycle import CallDependencies, OpenCalls
from heliostat_gateway.calls.telemetry import Telemetry
from heliostat_gateway.calls.traces import RequestSpans
from heliostat_gateway.money.costs import OutputHistory
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.observability.metrics import Metrics
from heliostat_gateway.providers.scripted import ScriptedProvider, open_scripted
from heliostat_gateway.providers.session import SharedSession
from heliostat_gateway.reports.desk import Desk
from heliostat_gateway.reports.office import open_desk
from heliostat_gateway.routes.routing import Router
from heliostat_gateway.serving.admin import Admin
from heliostat_gateway.serving.endpoints import add_endpoints
from heliostat_gateway.serving.fast_path import FastPathApp
from heliostat_gateway.serving.routers import (
    build_router,
    open_managed_keys,
)
from heliostat_gateway.settings import Settings, SettingsError, read_settings
from heliostat_gateway.state_backends import StateBackends, local_backends
from heliostat_gateway.storage import Storage
from heliostat_gateway.tasks import end_task
from heliostat_telemetry.spans import open_spans

if TYPE_CHECKING:
    from heliostat_gateway.serving.managed_keys import ManagedKeys

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gateway:
    """The parts of a running gateway."""

    settings: Settings
    storage: Storage
    handler: ModelCallHandler
    admin: Admin
    backends: StateBackends
    scripted: ScriptedProvider
    connections: SharedSession
    managed: "ManagedKeys | None" = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hears of other replicas and keeps the ledger near the truth; ends every call at last.

        Raises SettingsError where a provider is required and its key can't be had.
        """
        dependencies = self.handler.dependencies
        if self.managed is not None:
            await self.managed.start()
            _require_provider(self.settings, self.admin.router)
        await self.backends.start()
        if self.admin.desk is not None:
            await self.admin.desk.start()
        noting = asyncio.create_task(dependencies.keep_noting())
        try:
            yield
        finally:
            if self.admin.desk is not None:
                await self.admin.desk.close()
            await dependencies.calls.end_all()
            await end_task(noting)
            await self.scripted.close()
            await self.connections.close()
            if self.managed is not None:
                await self.managed.close()
            await self.backends.close()
            self.storage.close()
            await dependencies.telemetry.close()


def build_gateway(settings: Settings) -> Gateway:
    """A gateway over the data folder.

    Raises SettingsError, RoutesError, StorageError.
    """
    scripted = open_scripted(settings)
    connections = SharedSession()
    managed = open_managed_keys(settings)
    router = build_router(settings, scripted, connections, managed)
    if managed is None:
        _require_provider(settings, router)
    storage = Storage(settings.data_dir)
    metrics = Metrics()
    revocations = Revocations(storage)
    calls = OpenCalls()
    desk = None
    if settings.redis_url.get_secret_value():
        backends = _redis_backends(settings, revocations, calls.end_key)
    else:
        own = _own_ledger(storage, metrics)
        desk = open_desk(settings, storage, router, metrics.anomaly_failures.add)
        policy = _policy(settings)
        backends = local_backends(
            own, policy, storage, revocations, calls.end_key, desk.agent_restrictions
        )
    metrics.watch(backends.breakers)
    metrics.watch_ledger(backends.ledger.state)
    keys = KeyRing(
        settings.keys_dir,
        store=backends.keys,
        admin_key=_admin_key(settings),
        api_folder=settings.api_keys_dir,
    )
    return Gateway(
        settings=settings,
        storage=storage,
        handler=_handler(settings, backends, keys, revocations, router, calls, metrics),
        admin=_admin(backends, keys, router, scripted, desk),
        backends=backends,
        scripted=scripted,
        connections=connections,
        managed=managed,
    )


def _require_provider(settings: Settings, router: Router) -> None:
    if settings.llm_required and router.missing:
        raise SettingsError(f"LLM_REQUIRED is true, but: {router.missing}.")


def _handler(
    settings: Settings,
    backends: StateBackends,
    keys: KeyRing,
    revocations: Revocations,
    router: Router,
    calls: OpenCalls,
    metrics: Metrics,
) -> ModelCallHandler:
    """The endpoints of model calls, and what each call needs."""
    history = OutputHistory()
    return ModelCallHandler(
        keys=keys,
        revocations=revocations,
        router=router,
        admission=AdmissionControl(backends.ledger, history, backends.agent_restrictions),
        breakers=backends.breakers,
        dependencies=CallDependencies(
            backends.ledger,
            calls,
            metrics,
            history,
            _telemetry(settings),
            overload_wait_seconds=settings.overload_wait_seconds,
        ),
        answers=backends.answers,
        ping_seconds=settings.ping_seconds,
    )


def _admin(
    backends: StateBackends,
    keys: KeyRing,
    router: Router,
    scripted: ScriptedProvider,
    desk: Desk | None,
) -> Admin:
    """The endpoints under /admin."""
    return Admin(
        keys=keys,
        revoker=backends.revoker,
        key_admin=KeyAdmin(backends.keys, backends.revoker),
        breakers=backends.breakers,
        ledger=backends.ledger,
        router=router,
        scripted=scripted,
        agent_restrictions=backends.agent_restrictions,
        desk=desk,
    )


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; `settings` of the environment by default. Raises as build_gateway does."""
    gateway = build_gateway(read_settings() if settings is None else settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with gateway.running():
            yield

    app = FastPathApp(
        title="Heliostat gateway",
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.gateway = gateway
    add_endpoints(app, gateway.handler, gateway.admin, gateway.settings)
    return app


def _own_ledger(storage: Storage, metrics: Metrics) -> SqliteLedger:
    ledger = SqliteLedger(storage)
    recovered = ledger.recover(int(time.time() * 1000))
    if recovered:
        metrics.recovered.add(count=recovered)
        _LOG.warning("%d calls of a gateway that died were booked as estimated", recovered)
    return ledger


def _redis_backends(settings: Settings, revocations: Revocations, end: EndCalls) -> StateBackends:
    # Imported only where it is used: its client takes a tenth of a second of the start.
    from heliostat_gateway.redis_state.backends import redis_backends

    try:
        return redis_backends(
            settings.redis_url.get_secret_value(),
            settings.data_dir / "spool",
            _policy(settings),
            settings.anomaly_slow_seconds,
            revocations,
            end,
        )
    except ValueError:
        # The library's own words may repeat a part of the password.
        raise SettingsError("REDIS_URL must be an address like redis://host:6379/0.") from None


def _telemetry(settings: Settings) -> Telemetry:
    spans = open_spans("heliostat-gateway", settings.otlp_endpoint)
    return Telemetry(RequestSpans(spans) if spans else None)


def _policy(settings: Settings) -> BreakerPolicy:
    return BreakerPolicy(minimum=settings.breaker_minimum)


def _admin_key(settings: Settings) -> AdminKeyFile | None:
    if settings.admin_key_file is None:
        return None
    try:
        return AdminKeyFile(settings.admin_key_file)
    except AdminKeyError as error:
        raise SettingsError(f"HELIOSTAT_GATEWAY_ADMIN_KEY_FILE {error}.") from error
