"""Which provider answers a model name, and why not. Pure but for the table of prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from heliostat_gateway.prices import FlatRates, Rates, find_rates, known_models
from heliostat_gateway.providers import Provider
from heliostat_gateway.scripted.scenario import Scenario
from heliostat_gateway.settings import NO_PROVIDER

SCRIPTED_PREFIX = "scripted/"


class RouteReason(StrEnum):
    """Why a model is served or not, in words of the admin interface."""

    SERVED = "Served"
    UNKNOWN_MODEL = "UnknownModel"
    PROVIDER_KEY_MISSING = "ProviderKeyMissing"
    SCRIPTED_NOT_CHOSEN = "ScriptedNotChosen"


@dataclass(frozen=True)
class Route:
    """Where a request goes and what it costs there."""

    model: str  # as the caller named it
    provider: Provider
    target: str  # model or scenario, in the provider's words
    rates: Rates


@dataclass(frozen=True)
class NotServed:
    """No provider answers this model."""

    reason: RouteReason
    message: str


@dataclass(frozen=True)
class Router:
    """The providers that there are, and the one that plain model names go to."""

    scripted: Provider
    scenarios: Mapping[str, Scenario]
    anthropic: Provider | None  # None without a key
    default_is_scripted: bool
    default_scenario: str

    def route(self, model: str, at: datetime) -> Route | NotServed:
        """The route of a model name at an instant, or why there is none."""
        if model.startswith(SCRIPTED_PREFIX):
            return self._scripted(model, model.removeprefix(SCRIPTED_PREFIX))
        if self.default_is_scripted:
            return self._scripted(model, self.default_scenario)
        rates = find_rates(model, "anthropic", at)
        if rates is None:
            return self._unknown(model)
        if self.anthropic is None:
            return NotServed(
                RouteReason.PROVIDER_KEY_MISSING,
                f"The model {model} needs the provider anthropic. {NO_PROVIDER}.",
            )
        return Route(model, self.anthropic, model, rates)

    def models(self, at: datetime) -> list[str]:
        """Names of the models that are served: real ones with a known price, then scenarios."""
        real = known_models("anthropic", at) if self.anthropic is not None else []
        return real + [f"{SCRIPTED_PREFIX}{name}" for name in sorted(self.scenarios)]

    def _scripted(self, model: str, scenario: str) -> Route | NotServed:
        found = self.scenarios.get(scenario)
        if found is None:
            return NotServed(
                RouteReason.UNKNOWN_MODEL,
                f"The scripted provider has no scenario {scenario}. "
                f"It has: {', '.join(sorted(self.scenarios))}.",
            )
        return Route(model, self.scripted, scenario, _scenario_rates(found))

    def _unknown(self, model: str) -> NotServed:
        if model in self.scenarios:
            return NotServed(
                RouteReason.SCRIPTED_NOT_CHOSEN,
                f"{model} is a scenario, and scenarios answer only by their full name: "
                f"use {SCRIPTED_PREFIX}{model}.",
            )
        return NotServed(
            RouteReason.UNKNOWN_MODEL,
            f"No provider serves the model {model}, and no price is known for it. "
            "Use the exact model name of the provider.",
        )


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
