"""Puts the gateway together."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from fastapi import FastAPI

from heliostat_gateway.admin import Admin
from heliostat_gateway.admin_key import AdminKeyError, AdminKeyFile
from heliostat_gateway.admin_keys import KeyAdmin
from heliostat_gateway.calls import OpenCalls
from heliostat_gateway.common import Common, local_common
from heliostat_gateway.endpoints import add_endpoints
from heliostat_gateway.exchange import Books
from heliostat_gateway.keyring import KeyRing
from heliostat_gateway.ledger import SqliteLedger
from heliostat_gateway.messages import Messages
from heliostat_gateway.metrics import Metrics
from heliostat_gateway.providers import Provider
from heliostat_gateway.revocations import Revocations
from heliostat_gateway.routing import Router
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
    common: Common
    providers: tuple[Provider, ...]

    async def start(self) -> None:
        """Begins to hear of other replicas, if there are any."""
        await self.common.start()

    async def close(self) -> None:
        """Ends and books every open call, then closes everything."""
        await self.messages.books.calls.end_all()
        for provider in self.providers:
            await provider.close()
        await self.common.close()
        self.storage.close()


def build_gateway(settings: Settings) -> Gateway:
    """A gateway over the data folder. Raises SettingsError, ScenarioError, StorageError."""
    scenarios = _scenarios(settings)
    storage = Storage(settings.data_dir)
    ledger = SqliteLedger(storage)
    metrics = Metrics()
    recovered = ledger.recover(int(time.time() * 1000))
    if recovered:
        metrics.recovered.inc(recovered)
        _LOG.warning("%d calls of a gateway that died were booked as estimated", recovered)
    revocations = Revocations(storage)
    calls = OpenCalls()
    common = _common(settings, storage, revocations, calls)
    metrics.watch(common.breakers)
    keys = KeyRing(settings.keys_dir, store=common.keys, admin_key=_admin_key(settings))
    scripted = ScriptedProvider(scenarios, Bill(settings.data_dir / "scripted-bill.jsonl"))
    anthropic = _anthropic(settings)
    router = Router(
        scripted=scripted,
        scenarios=scenarios,
        anthropic=anthropic,
        default_is_scripted=settings.default_provider == "scripted",
        default_scenario=settings.scripted_default,
    )
    return Gateway(
        settings=settings,
        storage=storage,
        messages=Messages(keys, revocations, router, Books(ledger, calls, metrics)),
        admin=Admin(
            keys=keys,
            revoker=common.revoker,
            key_admin=KeyAdmin(common.keys, common.revoker),
            breakers=common.breakers,
            ledger=ledger,
            router=router,
            bill=scripted.bill,
        ),
        common=common,
        providers=(scripted,) if anthropic is None else (scripted, anthropic),
    )


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; `settings` of the environment by default. Raises as build_gateway does."""
    gateway = build_gateway(read_settings() if settings is None else settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await gateway.start()
        yield
        await gateway.close()

    app = FastAPI(title="Heliostat gateway", lifespan=lifespan)
    app.state.gateway = gateway
    add_endpoints(app, gateway.messages, gateway.admin, gateway.settings)
    return app


def _common(
    settings: Settings, storage: Storage, revocations: Revocations, calls: OpenCalls
) -> Common:
    url = settings.redis_url.get_secret_value()
    if not url:
        return local_common(storage, revocations, calls)
    # Imported only where it is used: its client takes a tenth of a second of the start.
    from heliostat_gateway.shared.common import shared_common

    try:
        return shared_common(url, revocations, calls)
    except ValueError:
        # The library's own words may repeat a part of the password.
        raise SettingsError("REDIS_URL must be an address like redis://host:6379/0.") from None


def _admin_key(settings: Settings) -> AdminKeyFile | None:
    if settings.admin_key_file is None:
        return None
    try:
        return AdminKeyFile(settings.admin_key_file)
    except AdminKeyError as error:
        raise SettingsError(f"HELIOSTAT_GATEWAY_ADMIN_KEY_FILE {error}.") from error


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
