"""Puts the gateway together."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from fastapi import FastAPI

from heliostat_core.money import NANOS_PER_MICRO
from heliostat_gateway.admin import Admin
from heliostat_gateway.calls import OpenCalls
from heliostat_gateway.endpoints import add_endpoints
from heliostat_gateway.exchange import Books
from heliostat_gateway.keyring import KeyRing
from heliostat_gateway.ledger import Ledger
from heliostat_gateway.messages import Messages
from heliostat_gateway.metrics import Metrics
from heliostat_gateway.prices import Rates, find_rates
from heliostat_gateway.providers import Provider
from heliostat_gateway.reports.desk import Desk
from heliostat_gateway.reports.findings import Findings
from heliostat_gateway.reports.gates import AgentGate
from heliostat_gateway.reports.reading import LedgerReader
from heliostat_gateway.reports.sums import INDEX
from heliostat_gateway.reports.watches import Action, AnomalyWatch, WatchRules
from heliostat_gateway.revocations import Revocations
from heliostat_gateway.routing import Route, Router
from heliostat_gateway.scripted.bill import Bill
from heliostat_gateway.scripted.provider import ScriptedProvider
from heliostat_gateway.scripted.scenario import Scenario, read_scenarios
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
    providers: tuple[Provider, ...]

    async def close(self) -> None:
        """Ends and books every open call, then closes everything."""
        self.admin.desk.reader.close()
        await self.admin.desk.watch.stop()
        await self.messages.books.calls.end_all()
        for provider in self.providers:
            await provider.close()
        self.storage.close()


def build_gateway(settings: Settings) -> Gateway:
    """A gateway over the data folder. Raises SettingsError, ScenarioError, StorageError."""
    scenarios = _scenarios(settings)
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
    scripted = ScriptedProvider(scenarios, Bill(settings.data_dir / "scripted-bill.jsonl"))
    anthropic = _anthropic(settings)
    router = Router(
        scripted=scripted,
        scenarios=scenarios,
        anthropic=anthropic,
        default_is_scripted=settings.default_provider == "scripted",
        default_scenario=settings.scripted_default,
    )
    desk = _desk(settings, storage, router, metrics)
    return Gateway(
        settings=settings,
        storage=storage,
        messages=Messages(keys, revocations, router, Books(ledger, calls, metrics), desk.gate),
        admin=Admin(keys, revocations, calls, ledger, router, scripted.bill, desk),
        providers=(scripted,) if anthropic is None else (scripted, anthropic),
    )


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; `settings` of the environment by default. Raises as build_gateway does."""
    gateway = build_gateway(read_settings() if settings is None else settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        gateway.admin.desk.watch.start()
        yield
        await gateway.close()

    app = FastAPI(title="Heliostat gateway", lifespan=lifespan)
    app.state.gateway = gateway
    add_endpoints(app, gateway.messages, gateway.admin, gateway.settings)
    return app


def _desk(settings: Settings, storage: Storage, router: Router, metrics: Metrics) -> Desk:
    """Reports, and the check of what runs cost."""
    storage.run_now(lambda connection: connection.execute(INDEX))
    reader = LedgerReader(storage.path)
    gate = AgentGate(storage, settings.anomaly_slow_seconds)
    findings = Findings(storage)
    rules = WatchRules(
        action=Action(settings.anomaly_action),
        floor_nanos=settings.anomaly_floor_micros * NANOS_PER_MICRO,
        sweep_seconds=settings.anomaly_sweep_seconds,
    )

    def rates(provider: str, model: str, at: datetime) -> Rates | None:
        route = router.route(model, at)
        if isinstance(route, Route) and route.provider.name == provider:
            return route.rates
        return find_rates(model, provider, at)

    watch = AnomalyWatch(reader, findings, gate, rates, rules, metrics.anomaly_failures.inc)
    return Desk(reader, rates, gate, findings, watch, rules)


def _anthropic(settings: Settings) -> Provider | None:
    """The provider anthropic, when there is a key for it."""
    if not settings.anthropic_api_key.get_secret_value():
        return None
    # Imported only where it is used: its HTTP client takes a fifth of the start.
    from heliostat_gateway.providers.anthropic import AnthropicProvider

    return AnthropicProvider(settings.anthropic_base_url, settings.anthropic_api_key)


def _scenarios(settings: Settings) -> dict[str, Scenario]:
    with as_file(files("heliostat_gateway") / "scenarios") as packaged:
        folders = [packaged] if settings.scenarios_dir is None else [packaged, _own(settings)]
        scenarios = read_scenarios(*folders)
    if settings.scripted_default not in scenarios:
        raise SettingsError(
            "HELIOSTAT_GATEWAY_SCRIPTED_DEFAULT must name a scenario, one of: "
            f"{', '.join(sorted(scenarios))}."
        )
    return scenarios


def _own(settings: Settings) -> Path:
    folder = settings.scenarios_dir
    if folder is None or not folder.is_dir():
        raise SettingsError(f"HELIOSTAT_GATEWAY_SCENARIOS_DIR ({folder}) must be a folder.")
    return folder
