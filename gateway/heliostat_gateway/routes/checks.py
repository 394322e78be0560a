"""Rules across the fields of a routes file: what can't work is refused before it is used."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from pydantic import JsonValue

from heliostat_gateway.money.prices import FlatRates, PriceBook, Tariff
from heliostat_gateway.routes.document import (
    NO_DEFAULTS,
    SCRIPTED_PREFIX,
    HopSpec,
    ModelSpec,
    RoutesDocument,
)
from heliostat_gateway.routes.names import find_target
from heliostat_gateway.routes.plans import persona_of
from heliostat_gateway.routes.positions import Mistake
from heliostat_gateway.routes.table import Timeouts, build_prices, build_timeouts, resolve_alias

SCRIPTED = SCRIPTED_PREFIX.rstrip("/")


@dataclass(frozen=True)
class RouteValidationContext:
    """The facts that a routes file is checked against."""

    price_ids: Mapping[str, str]  # built-in provider -> its id in the price book
    key_variables: Collection[str]  # of the built-in providers
    scenarios: Mapping[str, FlatRates]
    book: PriceBook = field(default_factory=PriceBook)

    def tariff(
        self, prices: Mapping[tuple[str, str], FlatRates], default: FlatRates | None
    ) -> Tariff:
        """All prices: those of a routes file, of scenarios, of the book."""
        scripted = {(SCRIPTED, name): rates for name, rates in self.scenarios.items()}
        return Tariff(self.book, self.price_ids, {**prices, **scripted}, default)


@dataclass(frozen=True)
class Checked:
    """A document without broken entries, all names of the file, and what is known besides."""

    document: RoutesDocument
    raw: Mapping[str, JsonValue]  # with the broken entries: they are named elsewhere
    known: RouteValidationContext
    at: datetime

    @property
    def providers(self) -> set[str]:
        """Names of all providers."""
        return {*self.known.price_ids, SCRIPTED, *self.names("providers")}

    @property
    def tariff(self) -> Tariff:
        """The prices that hold with this file."""
        return self.known.tariff(build_prices(self.document), None)

    def names(self, section: str) -> set[str]:
        """The names of a section as they are written."""
        found = self.raw.get(section)
        return set(found) if isinstance(found, dict) else set()

    def has_price(self, provider: str, model: str) -> bool:
        """Whether a model has a price, be it the default."""
        declared = f"{provider}/{model}" in self.names("prices") or "defaultPrice" in self.raw
        if provider == SCRIPTED:
            return model in self.known.scenarios
        return declared or self.tariff.known(provider, model, self.at) is not None


def find_mistakes(checked: Checked) -> Iterator[Mistake]:
    """Every broken rule, with its place."""
    for check in (_servers, _prices, _models, _aliases, _personas, _rules, _deadlines):
        yield from check(checked)


def _servers(checked: Checked) -> Iterator[Mistake]:
    for name, spec in checked.document.providers.items():
        if name in checked.known.price_ids or name == SCRIPTED:
            yield Mistake(("providers", name), "is a provider of the gateway: choose another name")
        if spec.key_variable in checked.known.key_variables:
            yield Mistake(
                ("providers", name, "keyVariable"),
                f"must not be {spec.key_variable}: that key is for another provider",
            )


def _prices(checked: Checked) -> Iterator[Mistake]:
    for name in checked.document.prices:
        provider, slash, model = name.partition("/")
        if not (slash and model):
            yield Mistake(("prices", name), "must be PROVIDER/MODEL")
        elif provider == SCRIPTED:
            yield Mistake(("prices", name), "prices of a scenario are in its own file")
        elif provider not in checked.providers:
            yield Mistake(("prices", name), _unknown_provider(provider, checked))


def _models(checked: Checked) -> Iterator[Mistake]:
    for name, spec in checked.document.models.items():
        place = ("models", name)
        if spec.personal and spec.cache is not None:
            yield Mistake((*place, "cache"), "must not be together with personal: true")
        seen: set[HopSpec] = set()
        for index, hop in enumerate(spec.chain):
            where = (*place, "chain", index)
            if hop in seen:
                yield Mistake(where, f"{hop.provider}/{hop.model} is in this chain already")
            seen.add(hop)
            yield from _hop(hop, where, checked)


def _hop(hop: HopSpec, where: tuple[str | int, ...], checked: Checked) -> Iterator[Mistake]:
    if hop.provider not in checked.providers:
        yield Mistake((*where, "provider"), _unknown_provider(hop.provider, checked))
    elif not checked.has_price(hop.provider, hop.model):
        yield Mistake((*where, "model"), _no_price(hop.provider, hop.model))


def _aliases(checked: Checked) -> Iterator[Mistake]:
    aliases = checked.document.aliases
    for name, meant in aliases.items():
        if name in checked.names("models"):
            yield Mistake(("aliases", name), "is the name of a model too: choose another name")
        if _is_cyclic(name, aliases):
            yield Mistake(("aliases", name), "leads back to itself: it must end at a model")
        elif meant not in checked.names("aliases") and not _is_name(meant, checked):
            yield Mistake(("aliases", name), _unknown_name(meant))


def _personas(checked: Checked) -> Iterator[Mistake]:
    for name, spec in checked.document.personas.items():
        meant = resolve_alias(spec.model, checked.document.aliases)
        place = ("personas", name)
        if persona_of(meant):
            yield Mistake((*place, "model"), "must be a model, not a persona")
        elif spec.model not in checked.names("aliases") and not _is_name(meant, checked):
            yield Mistake((*place, "model"), _unknown_name(spec.model))
        for key in sorted(NO_DEFAULTS & spec.defaults.keys()):
            yield Mistake((*place, "defaults", key), "can't be a default: the request says it")
        if spec.system_file is not None and not is_inside(spec.system_file):
            yield Mistake((*place, "systemFile"), "must be a path below the folder of this file")


def _rules(checked: Checked) -> Iterator[Mistake]:
    for_all: int | None = None
    for index, rule in enumerate(checked.document.rules):
        if rule.persona not in checked.names("personas"):
            yield Mistake(("rules", index, "persona"), f"no persona is called {rule.persona}")
        if for_all is not None:
            yield Mistake(
                ("rules", index), f"is never reached: rule {for_all + 1} fits every request"
            )
        elif all(
            patterns is None or "*" in patterns
            for patterns in (rule.agents, rule.users, rule.models)
        ):
            for_all = index


def _deadlines(checked: Checked) -> Iterator[Mistake]:
    around = build_timeouts(checked.document.timeouts, Timeouts())
    specs: dict[tuple[str | int, ...], ModelSpec | RoutesDocument] = {(): checked.document}
    specs |= {("models", name): spec for name, spec in checked.document.models.items()}
    for place, spec in specs.items():
        timeouts = build_timeouts(spec.timeouts, around)
        first, idle = timeouts.first_token or 0.0, timeouts.idle or 0.0
        if spec.timeouts is not None and max(first, idle) > timeouts.total:
            yield Mistake(
                (*place, "timeouts"),
                f"totalSeconds ({timeouts.total:g}) must not be below firstTokenSeconds "
                f"({first:g}) and idleSeconds ({idle:g})",
            )


def _is_cyclic(name: str, aliases: Mapping[str, str]) -> bool:
    return resolve_alias(name, aliases) in aliases


def _is_name(name: str, checked: Checked) -> bool:
    """Whether a name that is no alias means something."""
    if persona_of(name):
        return persona_of(name) in checked.names("personas")
    if name in checked.names("models"):
        return True
    first, _, rest = name.partition("/")
    if rest and first in checked.providers:
        return checked.has_price(first, rest) or _has_hop(name, checked)
    return _has_hop(name, checked)


def _has_hop(name: str, checked: Checked) -> bool:
    return find_target(name, checked.providers, checked.tariff, checked.at) is not None


def is_inside(path: str) -> bool:
    """Whether a relative path stays below its folder."""
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts


def _unknown_provider(name: str, checked: Checked) -> str:
    return f"no provider is called {name}; there are: {', '.join(sorted(checked.providers))}"


def _unknown_name(name: str) -> str:
    return (
        f"no model or alias of this file is called {name}, and no provider's model with a known "
        "price"
    )


def _no_price(provider: str, model: str) -> str:
    if provider == SCRIPTED:
        return f"no scenario is called {model}"
    return (
        f"no price is known for {provider}/{model}: check the name, or add it to prices, or set "
        "defaultPrice"
    )
