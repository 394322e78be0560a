"""Who answers a model name, in which order, and why; or why nobody does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import count
from typing import Final
from zlib import crc32

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.money.pricebook import Recent, Tariff, day_of
from heliostat_gateway.money.prices import Rates
from heliostat_gateway.providers.catalog import SCRIPTED, Offer, Server
from heliostat_gateway.providers.credentials import NO_CREDENTIAL, Credential, CredentialSource
from heliostat_gateway.routes.checks import Knowledge
from heliostat_gateway.routes.courses import Course, Way, no_persona, resolve_name, tell
from heliostat_gateway.routes.document import LONGEST_NAME, PERSONA_PREFIX, SCRIPTED_PREFIX
from heliostat_gateway.routes.names import find_hop
from heliostat_gateway.routes.plans import NotServed, Plan, RouteReason
from heliostat_gateway.routes.source import RouteSource
from heliostat_gateway.routes.table import Hop, RouteTable, persona_of
from heliostat_gateway.settings import NO_PROVIDER

# Who may ask for everything: the operator, and whoever reads a plan.
_LISTS: Final = 64
_NAMES: Final = 4096
ANYONE: Final = Caller(key="", kind=KeyKind.SERVICE, account="")


@dataclass(frozen=True)
class _World:
    """Everything that follows from one table; made anew when the table changes."""

    table: RouteTable
    offers: Mapping[str, Offer]
    tariff: Tariff
    own_models: Recent[tuple[str, datetime], tuple[str, ...]]  # by provider and day
    hops: Recent[tuple[str, int], Hop | None]  # by plain name and day


@dataclass
class Router:
    """Plans over the routes, keys and prices of this moment."""

    offers: Mapping[str, Offer]  # the built-in providers and scripted
    server_offer: Callable[[Server], Offer]
    keys: CredentialSource
    routes: RouteSource
    known: Knowledge
    default_scenario: str | None = None  # answers plain model names instead of real providers
    _turns: "count[int]" = field(default_factory=count, init=False)
    _world: _World | None = field(default=None, init=False)

    @property
    def problem(self) -> str | None:
        """What is wrong with the newest routes file, while an older one is in use."""
        self.routes.current()
        return self.routes.problem

    @property
    def has_http_provider(self) -> bool:
        """Whether some provider besides `scripted` can be asked now."""
        offers = self._current().offers
        return any(self._usable(offer) for name, offer in offers.items() if name != SCRIPTED)

    @property
    def missing(self) -> str:
        """What to set so that real models are answered; empty when some provider can be asked."""
        usable = self.default_scenario is not None or self.has_http_provider
        return "" if usable else NO_PROVIDER

    def plan(self, model: str, caller: Caller, at: datetime) -> Plan | NotServed:
        """The candidates for a model name, best first; `at` (UTC) dates the prices."""
        course = self.course(model, caller, at)
        if isinstance(course, NotServed):
            return course
        candidates = tuple(course.candidates(self._turn(caller)))
        told = (*course.trail, *tell(course.ways, candidates))
        if not candidates:
            return NotServed(RouteReason.PROVIDER_KEY_MISSING, self._nobody(course), told)
        return Plan(model, candidates, course.persona, course.cache, told)

    def course(self, model: str, caller: Caller, at: datetime) -> Course | NotServed:
        """What a name means for a caller, with what can't be used now."""
        if len(model) > LONGEST_NAME:  # it would be remembered, and told back
            words = f"A model name has at most {LONGEST_NAME} characters."
            return NotServed(RouteReason.UNKNOWN_MODEL, words)
        if not any(fnmatchcase(model, pattern) for pattern in caller.models):
            return NotServed(
                RouteReason.MODEL_NOT_ALLOWED,
                f"This key may not use the model {model}. It may use: "
                f"{', '.join(caller.models) or 'none'}.",
            )
        world = self._current()
        trail: list[str] = []
        name, persona = resolve_name(world.table, model, caller, trail)
        if persona is None and persona_of(name):
            return NotServed(RouteReason.UNKNOWN_MODEL, no_persona(persona_of(name), world.table))
        route = world.table.models.get(name)
        if route is not None:
            trail.append(f"the routes file has a chain for {name}")
            ways = tuple(self._way(world, hop, at) for hop in route.chain)
            return Course(model, tuple(trail), ways, route.timeouts, persona, route.cache)
        hop = self._plain_hop(world, name, at)
        if isinstance(hop, NotServed):
            return hop
        trail.append(f"{name} belongs to the provider {hop.provider}")
        ways = (self._way(world, hop, at),)
        return Course(model, tuple(trail), ways, world.table.timeouts, persona)

    def models(self, caller: Caller, at: datetime) -> list[str]:
        """Names that this caller may ask for and that are served now: the file's own, then real
        ones with a known price, then scenarios."""
        world = self._current()
        table = world.table
        own = [
            *table.models,
            *table.aliases,
            *(f"{PERSONA_PREFIX}{name}" for name in table.personas),
        ]
        real = [name for provider in world.tariff.price_ids for name in self._real(provider, at)]
        scenarios = [f"{SCRIPTED_PREFIX}{name}" for name in sorted(self.known.scenarios)]
        served = [name for name in own if isinstance(self._peek(name, at), Course)]
        return [
            name
            for name in dict.fromkeys([*served, *real, *scenarios])
            if any(fnmatchcase(name, pattern) for pattern in caller.models)
        ]

    def _peek(self, name: str, at: datetime) -> Course | NotServed:
        course = self.course(name, ANYONE, at)
        if isinstance(course, Course) and all(way.dropped for way in course.ways):
            return NotServed(RouteReason.PROVIDER_KEY_MISSING, "")
        return course

    def _real(self, provider: str, at: datetime) -> Iterable[str]:
        """A provider's own models by the names that lead to it."""
        world = self._current()
        if not self._usable(world.offers[provider]):
            return ()
        return world.own_models.get(
            (provider, day_of(at)), lambda: tuple(self._find_real(world, provider, at))
        )

    def _find_real(self, world: _World, provider: str, at: datetime) -> Iterable[str]:
        for name in self.known.book.models(self.known.price_ids[provider], at):
            full = f"{provider}/{name}" if "/" in name else name
            if find_hop(full, world.offers, world.tariff, at) == Hop(provider, name):
                yield full  # not: another provider's model that this one sells too

    def _current(self) -> _World:
        table = self.routes.current()
        if self._world is None or self._world.table is not table:
            servers = {name: self.server_offer(each) for name, each in table.servers.items()}
            tariff = self.known.tariff(table.prices, table.default_price)
            self._world = _World(
                table, {**self.offers, **servers}, tariff, Recent(_LISTS), Recent(_NAMES)
            )
        return self._world

    def _plain_hop(self, world: _World, name: str, at: datetime) -> Hop | NotServed:
        if name.startswith(SCRIPTED_PREFIX):
            return self._scenario(name.removeprefix(SCRIPTED_PREFIX))
        if self.default_scenario is not None:
            return self._scenario(self.default_scenario)
        hop = world.hops.get(
            (name, at.toordinal()), lambda: find_hop(name, world.offers, world.tariff, at)
        )
        return hop or self._unknown(name)

    def _scenario(self, scenario: str) -> Hop | NotServed:
        if scenario in self.known.scenarios:
            return Hop(SCRIPTED, scenario)
        return NotServed(
            RouteReason.UNKNOWN_MODEL,
            f"The scripted provider has no scenario {scenario}. "
            f"It has: {', '.join(sorted(self.known.scenarios))}.",
        )

    def _unknown(self, model: str) -> NotServed:
        if model in self.known.scenarios:
            return NotServed(
                RouteReason.SCRIPTED_NOT_CHOSEN,
                f"{model} is a scenario, and scenarios answer only by their full name: "
                f"use {SCRIPTED_PREFIX}{model}.",
            )
        return NotServed(
            RouteReason.UNKNOWN_MODEL,
            f"No provider serves the model {model}, and no price is known for it. "
            "Use the exact model name of the provider, or declare its price in the routes file.",
        )

    def rates(self, provider: str, model: str, at: datetime) -> Rates | None:
        """The prices of a model as the ledger names it; None when none are known."""
        target = model
        if provider == SCRIPTED:
            is_named = model.startswith(SCRIPTED_PREFIX)
            target = (
                model.removeprefix(SCRIPTED_PREFIX) if is_named else self.default_scenario or ""
            )
        return self._current().tariff.rates(provider, target, at)

    def _way(self, world: _World, hop: Hop, at: datetime) -> Way:
        offer = world.offers.get(hop.provider)
        credentials = self._credentials(offer) if offer is not None else ()
        return Way(hop, offer, credentials, world.tariff.rates(hop.provider, hop.target, at))

    def _credentials(self, offer: Offer) -> tuple[Credential, ...]:
        """The keys with which a provider can be asked now."""
        if offer.provider is None:
            return ()
        found = self.keys.credentials(offer.key_variable) if offer.key_variable else ()
        return found if found or offer.needs_key else (NO_CREDENTIAL,)

    def _usable(self, offer: Offer) -> bool:
        return bool(self._credentials(offer))

    def _nobody(self, course: Course) -> str:
        reasons = "; ".join(f"{way.hop.provider}: {way.dropped}" for way in course.ways)
        missing = self.missing
        remedy = f" {missing}." if missing else ""
        return f"Nobody can be asked for the model {course.model} ({reasons}).{remedy}"

    def _turn(self, caller: Caller) -> int:
        """Which of several keys comes first: they take turns, by caller where that saves money.

        A conversation stays with one key, on every replica: another organisation's key would
        find the provider's prompt cache empty. Programs without conversations take turns.
        """
        if caller.execution or caller.user:
            return crc32(caller.account.encode())
        return next(self._turns)
