"""A gateway process in front of the scripted server, with a route to each of its dialects.

The model `DIALECT/SCENARIO` is answered by the provider of that dialect, so is
`fallback-DIALECT/SCENARIO`, after a server that is not there. `DIALECT/any-X` is answered as
`hello`, for a model (and a breaker) of the test's own.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.fake_provider import FakeProviders, run_fake_providers
from support.ports import free_port
from support.recording_proxy import RecordingProxy, run_recording_proxy

from .gateway_process import GatewayProcess

DIALECTS = ("messages", "chat", "gemini")
PROVIDERS = {"messages": "anthropic", "chat": "openai", "gemini": "gemini"}
DIRECT = tuple(DIALECTS)
ROUTES = (*DIALECTS, *(f"fallback-{dialect}" for dialect in DIALECTS))
_SCENARIOS = ("hello", "tools", "parallel", "json", "kinds", "default", "refusal", "empty", "long")
_ANY = (400, 401, 403, 404, 413, 422, 429, 500, 503, 529)
_PRICE = {
    "input": "4",
    "output": "20",
    "cacheRead": "0.20",
    "cacheWrite5m": "5",
    "cacheWrite1h": "8",
    "webSearch": "10",
}


@dataclass(frozen=True)
class World:
    """The three processes; `proxy` stands before the scripted server's Gemini."""

    gateway: GatewayProcess
    providers: FakeProviders
    proxy: RecordingProxy


def routes_document(more: dict[str, object] | None = None) -> dict[str, object]:
    """The routes file."""
    targets = [*_SCENARIOS, *(f"any-{name}" for name in (*_ANY, "x", "y", "retry", "steps"))]
    models: dict[str, object] = {}
    for dialect in DIALECTS:
        for target in targets:
            hop = {"provider": PROVIDERS[dialect], "model": target}
            models[f"{dialect}/{target}"] = {"chain": [hop]}
            first = {"provider": "absent", "model": target}
            models[f"fallback-{dialect}/{target}"] = {"chain": [first, hop]}
    models |= more or {}
    return {
        "providers": {"absent": {"baseUrl": f"http://127.0.0.1:{free_port()}/v1"}},
        "defaultPrice": _PRICE,
        "models": models,
        "personas": {
            "zeitgeist": {"system": "You follow the news.", "model": "messages/default"},
        },
    }


@contextlib.contextmanager
def run_world(
    folder: Path, more: dict[str, object] | None = None, scenarios: Path | None = None
) -> Iterator[World]:
    """Everything started, and ended afterwards; `more` models, and more scenarios for them."""
    with (
        run_fake_providers(folder, scenarios=scenarios, default="hello") as providers,
        run_recording_proxy(providers.url) as proxy,
    ):
        routes = folder / "routes.yaml"
        routes.write_text(json.dumps(routes_document(more)))
        gateway = GatewayProcess(folder)
        gateway.write_public_key()
        gateway.start(
            ANTHROPIC_API_KEY=providers.key,
            OPENAI_API_KEY=providers.key,
            GEMINI_API_KEY=providers.key,
            HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=providers.messages_url,
            HELIOSTAT_GATEWAY_OPENAI_BASE_URL=providers.chat_url,
            HELIOSTAT_GATEWAY_GEMINI_BASE_URL=proxy.url,
            HELIOSTAT_GATEWAY_ROUTES_FILE=str(routes),
            HELIOSTAT_GATEWAY_BREAKER_MINIMUM="1000",  # failures of one test are not another's
        )
        try:
            yield World(gateway, providers, proxy)
        finally:
            gateway.kill()
