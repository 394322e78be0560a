"""Builds the router of a gateway, or of a command that only explains one."""

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers import ProviderAnswer
from heliostat_gateway.providers.catalog import (
    KEY_VARIABLES,
    PRICE_IDS,
    SCRIPTED,
    build_offers,
    scripted_offer,
    server_offer,
)
from heliostat_gateway.providers.credentials import (
    AllKeys,
    CredentialSource,
    EnvironmentKeys,
    FolderKeys,
)
from heliostat_gateway.providers.http import Outgoing
from heliostat_gateway.routes.checks import Knowledge
from heliostat_gateway.routes.routing import Router
from heliostat_gateway.routes.source import FixedRoutes, RoutesFile, RouteSource
from heliostat_gateway.scripted.provider import ScriptedProvider
from heliostat_gateway.scripted.scenario import Scenario, read_scenarios
from heliostat_gateway.settings import Settings, SettingsError

if TYPE_CHECKING:
    from heliostat_gateway.providers.session import SharedSession
    from heliostat_gateway.serving.managed_keys import ManagedKeys


class Connections:
    """The session that all providers share, loaded when a first provider can be asked: the import
    of its HTTP client takes a fifth of the start."""

    def __init__(self) -> None:
        self._session: SharedSession | None = None

    async def post(self, outgoing: Outgoing) -> ProviderAnswer:
        """The answer, whatever its status. Raises ProviderError."""
        return await self.load().post(outgoing)

    def load(self) -> "SharedSession":
        """The session; nothing is connected yet."""
        if self._session is None:
            from heliostat_gateway.providers.session import SharedSession

            self._session = SharedSession()
        return self._session

    async def close(self) -> None:
        """Ends the connections."""
        if self._session is not None:
            await self._session.close()


def build_router(
    settings: Settings,
    scripted: ScriptedProvider,
    connections: Connections,
    managed: CredentialSource | None = None,
) -> Router:
    """The router of the settings. Raises SettingsError, RoutesError."""
    known = build_knowledge(scripted.scenarios)
    router = Router(
        offers={
            **build_offers(settings.base_urls(), connections),
            SCRIPTED: scripted_offer(scripted),
        },
        server_offer=lambda server: server_offer(server, connections),
        keys=build_keys(settings, managed),
        routes=_routes(settings, known),
        known=known,
        default_scenario=(
            settings.scripted_default if settings.default_provider == "scripted" else None
        ),
    )
    if router.has_http_provider:
        connections.load()
    return router


def build_keys(settings: Settings, managed: CredentialSource | None = None) -> CredentialSource:
    """Keys from Secret Manager, then from mounted files, then from variables. Raises
    SettingsError."""
    sources: list[CredentialSource] = [] if managed is None else [managed]
    folder = settings.provider_keys_dir
    if folder is not None:
        if not folder.is_dir():
            raise SettingsError(f"HELIOSTAT_GATEWAY_PROVIDER_KEYS_DIR ({folder}) must be a folder.")
        sources.append(FolderKeys(folder))
    sources.append(EnvironmentKeys(settings.provider_keys()))
    return AllKeys(tuple(sources)) if len(sources) > 1 else sources[0]


def open_managed_keys(settings: Settings) -> "ManagedKeys | None":
    """Keys from Secret Manager, when the settings name some."""
    if not settings.secret_manager:
        return None
    # Imported only where it is used: Google's client takes half a second of the start.
    from heliostat_gateway.serving.managed_keys import ManagedKeys
    from heliostat_google.keeping import Ages
    from heliostat_google.secret_manager import SecretManager

    ages = Ages(settings.secret_refresh_seconds, settings.secret_keep_seconds)
    reader = SecretManager(settings.secret_manager_endpoint)
    return ManagedKeys(reader, settings.managed_secrets(), ages)


def build_knowledge(scenarios: Mapping[str, Scenario]) -> Knowledge:
    """What routes files are checked against."""
    return Knowledge(
        price_ids=PRICE_IDS,
        key_variables=frozenset(KEY_VARIABLES),
        scenarios={name: _scenario_rates(each) for name, each in scenarios.items()},
    )


def read_all_scenarios(settings: Settings) -> dict[str, Scenario]:
    """Packaged scenarios and one's own. Raises SettingsError, ScenarioError."""
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


def _routes(settings: Settings, known: Knowledge) -> RouteSource:
    if settings.routes_file is None:
        return FixedRoutes()
    return RoutesFile(settings.routes_file, known)


def _scenario_rates(scenario: Scenario) -> FlatRates:
    prices = scenario.prices
    rates = {
        "input": Decimal(prices.input),
        "output": Decimal(prices.output),
        "cache_read": Decimal(prices.cache_read),
        "cache_write_5m": Decimal(prices.cache_write5m),
        "cache_write_1h": Decimal(prices.cache_write1h),
    }
    if prices.web_searches is not None:  # per thousand there, per million here
        rates["web_searches"] = Decimal(prices.web_searches) * 1000
    return FlatRates(rates)
