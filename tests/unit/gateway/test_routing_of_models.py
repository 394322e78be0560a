"""Which provider answers which model name, and the words when none does."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import SecretStr

from heliostat_gateway.providers.anthropic import AnthropicProvider
from heliostat_gateway.routing import NotServed, Route, Router, RouteReason
from heliostat_gateway.scripted.bill import Bill
from heliostat_gateway.scripted.provider import ScriptedProvider
from heliostat_gateway.scripted.scenario import Scenario, read_scenarios

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SCENARIOS: Mapping[str, Scenario] = read_scenarios(
    Path(str(files("heliostat_gateway") / "scenarios"))
)


def router(*, key: bool = False, scripted: bool = False) -> Router:
    return Router(
        scripted=ScriptedProvider(SCENARIOS, Bill(Path("unused"))),
        scenarios=SCENARIOS,
        anthropic=AnthropicProvider("https://api.test", SecretStr("k")) if key else None,
        default_is_scripted=scripted,
        default_scenario="default",
    )


@pytest.mark.parametrize(
    ("model", "chosen", "provider", "target"),
    [
        ("scripted/hello", router(), "scripted", "hello"),
        ("scripted/hello", router(key=True), "scripted", "hello"),
        ("claude-opus-5-5", router(key=True), "anthropic", "claude-opus-5-5"),
        ("claude-opus-5-5", router(key=True, scripted=True), "scripted", "default"),
        ("anything", router(scripted=True), "scripted", "default"),
    ],
)
def test_served(model: str, chosen: Router, provider: str, target: str) -> None:
    route = chosen.route(model, NOW)
    assert isinstance(route, Route)
    assert (route.provider.name, route.target, route.model) == (provider, target, model)


@pytest.mark.parametrize(
    ("model", "chosen", "reason", "words"),
    [
        ("claude-opus-5-5", router(), RouteReason.PROVIDER_KEY_MISSING, "ANTHROPIC_API_KEY"),
        ("claude-nonsense", router(key=True), RouteReason.UNKNOWN_MODEL, "no price is known"),
        ("scripted/none", router(), RouteReason.UNKNOWN_MODEL, "no scenario none"),
        ("hello", router(), RouteReason.SCRIPTED_NOT_CHOSEN, "use scripted/hello"),
    ],
)
def test_not_served(model: str, chosen: Router, reason: RouteReason, words: str) -> None:
    answer = chosen.route(model, NOW)
    assert isinstance(answer, NotServed)
    assert answer.reason is reason
    assert words in answer.message


def test_the_list_has_real_models_only_with_a_key() -> None:
    assert "claude-opus-5-5" in router(key=True).models(NOW)
    assert "claude-opus-5-5" not in router().models(NOW)
    assert "scripted/hello" in router().models(NOW)
