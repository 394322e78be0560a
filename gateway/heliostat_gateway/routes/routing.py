"""The router: which candidates answer a model name, in which order, and why; or why none does."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path
from typing import Final, Protocol, TypeAlias
from zlib import crc32

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.money.prices import Rates, Recent, Tariff, day_of
from heliostat_gateway.providers.catalog import SCRIPTED, Offer, Server
from heliostat_gateway.providers.credentials import NO_CREDENTIAL, Credential, CredentialSource
from heliostat_gateway.routes.checks import RouteValidationContext
from heliostat_gateway.routes.document import LONGEST_NAME, PERSONA_PREFIX, SCRIPTED_PREFIX
from heliostat_gateway.routes.names import find_target
from heliostat_gateway.routes.plans import (
    NotServed,
    Plan,
    ResolvedRoute,
    RouteEntry,
    RouteReason,
    no_persona,
    persona_of,
    resolve_name,
)
from heliostat_gateway.routes.reading import RoutesError, read_routes
from heliostat_gateway.routes.table import ModelTarget, RouteTable
from heliostat_gateway.settings import NO_PROVIDER

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_State: TypeAlias = tuple[int, int, int]


class RouteSource(Protocol):
    """The newest good table, and what is wrong with a newer one."""

    problem: str | None

    def current(self) -> RouteTable:
        """The table; the same object as long as nothing changed."""
        ...


class FixedRoutes:
    """A table that never changes; the empty one where there is no file."""

    def __init__(self, table: RouteTable | None = None) -> None:
        self.problem: str | None = None
        self._table = table or RouteTable()

    def current(self) -> RouteTable:
        """The table."""
        return self._table


class RoutesFile:
    """A routes file, looked at once a second at most. A broken one keeps the table before it."""

    def __init__(
        self, path: Path, known: RouteValidationContext, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Reads the file. Raises RoutesError: the gateway does not start with a broken one."""
        self.problem: str | None = None
        self._path = path
        self._known = known
        self._clock = clock
        self._states: dict[Path, _State | None] = {path: _state(path)}
        self._table = self._read()
        self._looked = clock()

    def current(self) -> RouteTable:
        """The newest good table."""
        now = self._clock()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            # While it is broken it is read each time: what it lacks may be another file.
            if self.problem is not None or self._states != self._look():
                self._reload()
        return self._table

    def _look(self) -> dict[Path, _State | None]:
        return {path: _state(path) for path in self._states}

    def _reload(self) -> None:
        # Looked at before it is read: what is written meanwhile is seen the next time.
        self._states = self._look()
        try:
            self._table = self._read()
        except RoutesError as error:
            if self.problem != str(error):
                _LOG.error("the routes file is not used, the one before stays: %s", error)
            self.problem = str(error)
        else:
            self.problem = None
            _LOG.info("the routes file was read again")

    def _read(self) -> RouteTable:
        read = read_routes(self._path, self._known)
        self._states = {path: self._states.get(path, _state(path)) for path in read.files}
        return read.table


def _state(path: Path) -> _State | None:
    """What changes when a file is written or replaced; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


# Who may ask for everything: the operator, and whoever reads a plan.
_LISTS: Final = 64
_NAMES: Final = 4096
ANYONE: Final = Caller(key="", kind=KeyKind.SERVICE, account="")


@dataclass(frozen=True)
class CompiledRoutes:
    """Routes as compiled from one table; compiled again when the table changes."""

    table: RouteTable
    offers: Mapping[str, Offer]
    tariff: Tariff
    own_models: Recent[tuple[str, datetime], tuple[str, ...]]  # by provider and day
    model_targets: Recent[tuple[str, int], ModelTarget | None]  # by plain name and day


@dataclass
class Router:
    """Plans over the routes, keys and prices of this moment."""

    offers: Mapping[str, Offer]  # the built-in providers and scripted
    server_offer: Callable[[Server], Offer]
    keys: CredentialSource
    routes: RouteSource
    known: RouteValidationContext
    default_scenario: str | None = None  # answers plain model names instead of real providers
    _turns: "count[int]" = field(default_factory=count, init=False)
    _compiled: CompiledRoutes | None = field(default=None, init=False)

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
        resolved_route = self.resolved_route(model, caller, at)
        if isinstance(resolved_route, NotServed):
            return resolved_route
        candidates = tuple(resolved_route.candidates(self._turn(caller)))
        if not candidates:
            return NotServed(RouteReason.PROVIDER_KEY_MISSING, self._nobody(resolved_route))
        return Plan(
            model,
            candidates,
            resolved_route.persona,
            resolved_route.cache,
            resolved_route.caches_prefix,
        )

    def resolved_route(self, model: str, caller: Caller, at: datetime) -> ResolvedRoute | NotServed:
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
        compiled = self._current()
        resolution_steps: list[str] = []
        name, persona = resolve_name(compiled.table, model, caller, resolution_steps)
        if persona is None and persona_of(name):
            return NotServed(
                RouteReason.UNKNOWN_MODEL, no_persona(persona_of(name), compiled.table)
            )
        route = compiled.table.models.get(name)
        if route is not None:
            resolution_steps.append(f"the routes file has a chain for {name}")
            entries = tuple(self._entry(compiled, model_target, at) for model_target in route.chain)
            return ResolvedRoute(
                model,
                tuple(resolution_steps),
                entries,
                route.timeouts,
                persona,
                route.cache,
                route.caches_prefix,
            )
        model_target = self._plain_target(compiled, name, at)
        if isinstance(model_target, NotServed):
            return model_target
        resolution_steps.append(f"{name} belongs to the provider {model_target.provider}")
        entries = (self._entry(compiled, model_target, at),)
        return ResolvedRoute(
            model, tuple(resolution_steps), entries, compiled.table.timeouts, persona
        )

    def models(self, caller: Caller, at: datetime) -> list[str]:
        """Names that this caller may ask for and that are served now: the file's own, then real
        ones with a known price, then scenarios."""
        compiled = self._current()
        table = compiled.table
        own = [
            *table.models,
            *table.aliases,
            *(f"{PERSONA_PREFIX}{name}" for name in table.personas),
        ]
        real = [name for provider in compiled.tariff.price_ids for name in self._real(provider, at)]
        scenarios = [f"{SCRIPTED_PREFIX}{name}" for name in sorted(self.known.scenarios)]
        served = [name for name in own if isinstance(self._peek(name, at), ResolvedRoute)]
        return [
            name
            for name in dict.fromkeys([*served, *real, *scenarios])
            if any(fnmatchcase(name, pattern) for pattern in caller.models)
        ]

    def _peek(self, name: str, at: datetime) -> ResolvedRoute | NotServed:
        resolved_route = self.resolved_route(name, ANYONE, at)
        if isinstance(resolved_route, ResolvedRoute) and all(
            entry.dropped for entry in resolved_route.entries
        ):
            return NotServed(RouteReason.PROVIDER_KEY_MISSING, "")
        return resolved_route

    def _real(self, provider: str, at: datetime) -> Iterable[str]:
        """A provider's own models by the names that lead to it."""
        compiled = self._current()
        if not self._usable(compiled.offers[provider]):
            return ()
        return compiled.own_models.get(
            (provider, day_of(at)), lambda: tuple(self._find_real(compiled, provider, at))
        )

    def _find_real(self, compiled: CompiledRoutes, provider: str, at: datetime) -> Iterable[str]:
        for name in self.known.book.models(self.known.price_ids[provider], at):
            full = f"{provider}/{name}" if "/" in name else name
            if find_target(full, compiled.offers, compiled.tariff, at) == ModelTarget(
                provider, name
            ):
                yield full  # not: another provider's model that this one sells too

    def _current(self) -> CompiledRoutes:
        table = self.routes.current()
        if self._compiled is None or self._compiled.table is not table:
            servers = {name: self.server_offer(each) for name, each in table.servers.items()}
            tariff = self.known.tariff(table.prices, table.default_price)
            self._compiled = CompiledRoutes(
                table, {**self.offers, **servers}, tariff, Recent(_LISTS), Recent(_NAMES)
            )
        return self._compiled

    def _plain_target(
        self, compiled: CompiledRoutes, name: str, at: datetime
    ) -> ModelTarget | NotServed:
        if name.startswith(SCRIPTED_PREFIX):
            return self._scenario(name.removeprefix(SCRIPTED_PREFIX))
        if self.default_scenario is not None:
            return self._scenario(self.default_scenario)
        model_target = compiled.model_targets.get(
            (name, at.toordinal()), lambda: find_target(name, compiled.offers, compiled.tariff, at)
        )
        return model_target or self._unknown(name)

    def _scenario(self, scenario: str) -> ModelTarget | NotServed:
        if scenario in self.known.scenarios:
            return ModelTarget(SCRIPTED, scenario)
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

    def _entry(
        self, compiled: CompiledRoutes, model_target: ModelTarget, at: datetime
    ) -> RouteEntry:
        offer = compiled.offers.get(model_target.provider)
        credentials = self._credentials(offer) if offer is not None else ()
        return RouteEntry(
            model_target,
            offer,
            credentials,
            compiled.tariff.rates(model_target.provider, model_target.target, at),
        )

    def _credentials(self, offer: Offer) -> tuple[Credential, ...]:
        """The keys with which a provider can be asked now."""
        if offer.provider is None:
            return ()
        found = self.keys.credentials(offer.key_variable) if offer.key_variable else ()
        return found if found or offer.needs_key else (NO_CREDENTIAL,)

    def _usable(self, offer: Offer) -> bool:
        return bool(self._credentials(offer))

    def _nobody(self, resolved_route: ResolvedRoute) -> str:
        reasons = "; ".join(
            f"{entry.model_target.provider}: {entry.dropped}" for entry in resolved_route.entries
        )
        missing = self.missing
        remedy = f" {missing}." if missing else ""
        return f"Nobody can be asked for the model {resolved_route.model} ({reasons}).{remedy}"

    def _turn(self, caller: Caller) -> int:
        """Which of several keys comes first: they take turns, by caller where that saves money.

        A conversation stays with one key, on every replica: another organisation's key would
        find the provider's prompt cache empty. Programs without conversations take turns.
        """
        if caller.execution or caller.user:
            return crc32(caller.account.encode())
        return next(self._turns)
