"""Routers for tests: routes, keys and servers as given, connections that nobody may use."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.providers import ProviderAnswer
from heliostat_gateway.providers.catalog import (
    BUILT_IN,
    SCRIPTED,
    build_offers,
    scripted_offer,
    server_offer,
)
from heliostat_gateway.providers.credentials import EnvironmentKeys
from heliostat_gateway.providers.http import Outgoing
from heliostat_gateway.providers.scripted import ScriptedProvider
from heliostat_gateway.routes.reading import parse_routes
from heliostat_gateway.routes.routing import FixedRoutes, Router
from heliostat_gateway.serving.routers import build_validation_context
from heliostat_scripted.bill import Bill
from heliostat_scripted.scenario import Scenario, read_all_scenarios

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCENARIOS: Mapping[str, Scenario] = read_all_scenarios(None)
SCRIPTED_PROVIDER = ScriptedProvider(SCENARIOS, Bill(Path("unused")))
KNOWN = build_validation_context(SCRIPTED_PROVIDER)
BASE_URLS = {each.name: each.default_base_url for each in BUILT_IN if each.default_base_url}


class NoTransport:
    """Nothing may be sent."""

    async def post(self, outgoing: Outgoing) -> ProviderAnswer:
        raise AssertionError(f"a test must not call {outgoing.provider}")


def build_test_router(
    text: str = "",
    keys: Mapping[str, str] | None = None,
    *,
    scripted: bool = False,
    base_urls: Mapping[str, str] = BASE_URLS,
) -> Router:
    """A router over the routes of `text` and `keys` by variable. Raises RoutesError."""
    transport = NoTransport()
    offers = build_offers(base_urls, transport)
    offers[SCRIPTED] = scripted_offer(SCRIPTED_PROVIDER)
    return Router(
        offers=offers,
        server_offer=lambda server: server_offer(server, transport),
        keys=EnvironmentKeys({name: SecretStr(key) for name, key in (keys or {}).items()}),
        routes=FixedRoutes(parse_routes(text, KNOWN, NOW)),
        known=KNOWN,
        default_scenario="default" if scripted else None,
    )


def caller(
    *, execution: str = "", agent: str = "", user: str = "", models: tuple[str, ...] = ("*",)
) -> Caller:
    """Somebody who asks."""
    return Caller(
        key="k",
        kind=KeyKind.EXECUTION if execution else KeyKind.SERVICE,
        account=execution or user or "k",
        execution=execution,
        agent=agent,
        user=user,
        models=models,
    )
