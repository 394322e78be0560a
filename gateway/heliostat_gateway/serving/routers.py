"""Builds the router of a gateway, or of a command that only explains one."""

from typing import TYPE_CHECKING

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
from heliostat_gateway.providers.scripted import ScriptedProvider
from heliostat_gateway.providers.session import SharedSession
from heliostat_gateway.routes.checks import RouteValidationContext
from heliostat_gateway.routes.routing import FixedRoutes, Router, RoutesFile, RouteSource
from heliostat_gateway.settings import Settings, SettingsError

if TYPE_CHECKING:
    from heliostat_gateway.serving.managed_keys import ManagedKeys


def build_router(
    settings: Settings,
    scripted: ScriptedProvider,
    connections: SharedSession,
    managed: CredentialSource | None = None,
) -> Router:
    """The router of the settings. Raises SettingsError, RoutesError."""
    known = build_validation_context(scripted)
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


def build_validation_context(scripted: ScriptedProvider) -> RouteValidationContext:
    """What routes files are checked against."""
    return RouteValidationContext(
        price_ids=PRICE_IDS,
        key_variables=frozenset(KEY_VARIABLES),
        scenarios=scripted.rates,
    )


def _routes(settings: Settings, known: RouteValidationContext) -> RouteSource:
    if settings.routes_file is None:
        return FixedRoutes()
    return RoutesFile(settings.routes_file, known)
