"""Chains of two providers before the scripted server: requests, what a caller hears, money."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from heliostat_gateway.dialects import Dialect
from heliostat_scripted.bill import BillEntry
from support.fake_provider import FakeProviders

from .gateway_process import GatewayProcess, Reply

FIRST_TEXT = "the first provider speaks here"
SECOND_TEXT = "another one answers all of it"
SHOWN = FIRST_TEXT[:10]  # before a fault that comes after the first token
SCENARIO = f"""
description: Says who speaks, by the name of the model.
prices: {{input: "3", output: "15", cacheRead: "0.30", cacheWrite5m: "3.75", cacheWrite1h: "6"}}
pace: {{characters: 10}}
turns:
  - when: {{model: "-first$"}}
    steps: [{{text: {FIRST_TEXT}}}]
    usage: {{input: 101, output: 23, cacheRead: 7}}
  - steps: [{{text: {SECOND_TEXT}}}]
    usage: {{input: 90, output: 11, cacheRead: 5, cacheWrite5m: 3}}
"""
PRICES = '{input: "3", output: "15", cacheRead: "0.30", cacheWrite5m: "3.75", cacheWrite1h: "6"}'
FIRST = {Dialect.MESSAGES: "anthropic", Dialect.CHAT: "openai", Dialect.GEMINI: "gemini"}
SECOND = {Dialect.MESSAGES: "zai", Dialect.CHAT: "openrouter", Dialect.GEMINI: "gemini"}
PATHS = {Dialect.MESSAGES: "/v1/messages", Dialect.CHAT: "/v1/chat/completions"}
_BOOKED_SECONDS = 60.0


@dataclass(frozen=True)
class Route:
    """A model of routes.yaml with two candidates, each asked for under a model name of its own."""

    model: str
    first: Dialect
    second: Dialect
    timeouts: Mapping[str, float]

    @property
    def first_model(self) -> str:
        return f"{self.model}-first"

    @property
    def second_model(self) -> str:
        return f"{self.model}-second"


def routes_text(routes: Iterable[Route]) -> str:
    """The routes file: chains, and the scenario's prices for both models of each."""
    prices, models = ["prices:"], ["models:"]
    for route in routes:
        first = (FIRST[route.first], route.first_model)
        second = (SECOND[route.second], route.second_model)
        prices += [f"  {provider}/{model}: {PRICES}" for provider, model in (first, second)]
        models.append(f"  {route.model}:")
        models.append("    chain:")
        models += [f"      - {{provider: {p}, model: {m}}}" for p, m in (first, second)]
        if route.timeouts:
            models.append(f"    timeouts: {json.dumps(dict(route.timeouts))}")
    return "\n".join([*prices, *models, ""])


def write_scenario(folder: Path) -> Path:
    """A folder with the scenario `speaker`."""
    scenarios = folder / "scenarios"
    scenarios.mkdir()
    (scenarios / "speaker.yaml").write_text(SCENARIO)
    return scenarios


def addresses(providers: FakeProviders) -> dict[str, str]:
    """The gateway's settings of addresses and keys: every provider is the scripted server."""
    return {
        "ANTHROPIC_API_KEY": providers.key,
        "OPENAI_API_KEY": providers.key,
        "GEMINI_API_KEY": providers.key,
        "ZAI_API_KEY": providers.key,
        "OPENROUTER_API_KEY": providers.key,
        "HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL": providers.messages_url,
        "HELIOSTAT_GATEWAY_ZAI_BASE_URL": providers.messages_url,
        "HELIOSTAT_GATEWAY_OPENAI_BASE_URL": providers.chat_url,
        "HELIOSTAT_GATEWAY_OPENROUTER_BASE_URL": providers.chat_url,
        "HELIOSTAT_GATEWAY_GEMINI_BASE_URL": providers.gemini_url,
        # The failures of one case are not another's.
        "HELIOSTAT_GATEWAY_BREAKER_MINIMUM": "100000",
    }


def start_gateway(
    folder: Path, routes: Iterable[Route], settings: Mapping[str, str]
) -> GatewayProcess:
    """A gateway with these routes that answers."""
    (folder / "routes.yaml").write_text(routes_text(routes))
    gateway = GatewayProcess(folder)
    gateway.write_public_key()
    gateway.start(HELIOSTAT_GATEWAY_ROUTES_FILE=str(folder / "routes.yaml"), **settings)
    return gateway


def request_document(caller: Dialect, model: str, *, stream: bool) -> dict[str, object]:
    """A small request in the caller's dialect."""
    document: dict[str, object] = {
        "model": model,
        "stream": stream,
        "messages": [{"role": "user", "content": "hi"}],
    }
    return document | ({"max_tokens": 1000} if caller is Dialect.MESSAGES else {})


async def ask(
    gateway: GatewayProcess,
    caller: Dialect,
    model: str,
    execution: str,
    *,
    stream: bool,
    **more: object,
) -> Reply:
    """One request of an execution; `more` fields of the document, in a beta of the API."""
    return await gateway.ask(
        PATHS[caller],
        document=request_document(caller, model, stream=stream) | more,
        headers={
            "authorization": f"Bearer {gateway.key(execution)}",
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "trial-2026-11-22",
        },
    )


def lines_of(bill: Iterable[BillEntry], route: Route) -> list[BillEntry]:
    """The providers' invoice for one route."""
    return [entry for entry in bill if entry.model in (route.first_model, route.second_model)]


@dataclass(frozen=True)
class Booked:
    """An execution, all of whose calls went through one route of one gateway."""

    gateway: GatewayProcess
    execution: str
    route: Route


async def wait_for_equal_money(
    providers: FakeProviders, calls: Iterable[Booked]
) -> list[BillEntry]:
    """Waits until the ledger says of each execution what the bill says of its route; gives the
    bill. A provider whose connection was cut may need a moment to notice.
    """
    begin = asyncio.get_running_loop().time()
    while True:
        bill = await asyncio.to_thread(providers.bill)
        wrong = [told for call in calls if (told := await _difference(call, bill))]
        if not wrong:
            return bill
        late = asyncio.get_running_loop().time() - begin > _BOOKED_SECONDS
        assert not late, f"ledger and bill differ: {wrong}"
        await asyncio.sleep(0.05)


async def _difference(call: Booked, bill: Iterable[BillEntry]) -> str:
    cost, lines = await call.gateway.cost(call.execution), lines_of(bill, call.route)
    if cost.settled and cost.cost_nanos == sum(line.cost_nanos for line in lines):
        return ""
    return f"{call.execution}: ledger {cost}, bill {lines}"
