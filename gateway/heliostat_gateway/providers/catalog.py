"""All providers that there are, and what each needs before it can be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from heliostat_gateway.providers import Provider
from heliostat_gateway.providers.http import (
    AnthropicProvider,
    CompatibleProvider,
    GeminiProvider,
    HttpProvider,
    OpenaiProvider,
    OpenrouterProvider,
    Transport,
    ZaiProvider,
)

# In the order in which they are asked whether a plain model name is theirs.
BUILT_IN: Final[tuple[type[HttpProvider], ...]] = (
    AnthropicProvider,
    OpenaiProvider,
    GeminiProvider,
    ZaiProvider,
    OpenrouterProvider,
    CompatibleProvider,
)
SCRIPTED: Final = "scripted"
PRICE_IDS: Final = {each.name: each.price_id for each in BUILT_IN}
KEY_VARIABLES: Final = tuple(each.key_variable for each in BUILT_IN)


@dataclass(frozen=True)
class Server:
    """A server of the operator's own."""

    name: str
    base_url: str
    key_variable: str  # empty: it needs no key


@dataclass(frozen=True)
class Offer:
    """A provider, and how it can be asked."""

    provider: Provider | None  # None: it has no address
    key_variable: str  # of its keys; empty where there are none
    needs_key: bool
    remedy: str  # what to do when it can't be asked


def build_offers(base_urls: Mapping[str, str], transport: Transport) -> dict[str, Offer]:
    """The built-in providers at `base_urls`; one without an address there can't be asked."""
    return {each.name: _offer(each, base_urls.get(each.name, ""), transport) for each in BUILT_IN}


def server_offer(server: Server, transport: Transport) -> Offer:
    """A server of the routes file."""
    return Offer(
        CompatibleProvider(server.base_url, transport, server.name),
        server.key_variable,
        needs_key=bool(server.key_variable),
        remedy=f"no key: set {server.key_variable}",
    )


def scripted_offer(scripted: Provider) -> Offer:
    """The scripted provider: it is always there."""
    return Offer(scripted, "", needs_key=False, remedy="")


def _offer(kind: type[HttpProvider], base_url: str, transport: Transport) -> Offer:
    if not base_url:
        variable = f"HELIOSTAT_GATEWAY_{kind.name.upper()}_BASE_URL"
        return Offer(None, kind.key_variable, kind.needs_key, f"no address: set {variable}")
    return Offer(
        kind(base_url, transport),
        kind.key_variable,
        kind.needs_key,
        f"no key: set {kind.key_variable}",
    )
