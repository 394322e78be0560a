"""The table of routes that a file compiles to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatchcase

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.money.prices import FlatRates
from heliostat_gateway.providers.catalog import Server
from heliostat_gateway.routes.document import (
    ModelSpec,
    PriceSpec,
    RoutesDocument,
    RuleSpec,
    TimeoutSpec,
)
from heliostat_json.objects import JsonObject

_THOUSANDS_PER_MILLION = 1000


@dataclass(frozen=True)
class Timeouts:
    """Deadlines as a route sets them, in seconds; None follows from the request."""

    first_token: float | None = None
    idle: float | None = None
    total: float = 1800.0


@dataclass(frozen=True)
class CachePolicy:
    """Exact answers may be kept for so long."""

    ttl_seconds: int


@dataclass(frozen=True)
class Persona:
    """A system prompt, and what a request gets where it does not say it itself."""

    name: str
    system: str
    defaults: JsonObject


@dataclass(frozen=True)
class ModelTarget:
    """A provider's model."""

    provider: str
    target: str


@dataclass(frozen=True)
class ModelRoute:
    """The chain of a model name: its targets in order, and how they are asked."""

    chain: tuple[ModelTarget, ...]
    timeouts: Timeouts
    cache: CachePolicy | None = None
    caches_prefix: bool = False


@dataclass(frozen=True)
class PersonaRoute:
    """A persona, and the model that answers for it."""

    persona: Persona
    model: str


@dataclass(frozen=True)
class Rule:
    """Which requests get a persona; an empty list of patterns fits all."""

    agents: tuple[str, ...]
    users: tuple[str, ...]
    models: tuple[str, ...]
    persona: str

    def fits(self, model: str, caller: Caller) -> bool:
        """Whether every list of patterns has one that matches."""
        return (
            fits_any(self.agents, caller.agent)
            and fits_any(self.users, caller.user)
            and fits_any(self.models, model)
        )


@dataclass(frozen=True)
class RouteTable:
    """Compiled routes. Without a file: an empty one."""

    models: Mapping[str, ModelRoute] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)  # to what is no alias any more
    personas: Mapping[str, PersonaRoute] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    servers: Mapping[str, Server] = field(default_factory=dict)
    prices: Mapping[tuple[str, str], FlatRates] = field(default_factory=dict)
    default_price: FlatRates | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)


def fits_any(patterns: tuple[str, ...], text: str) -> bool:
    """Whether one of the patterns (`*`, `?`, `[abc]`) matches, or there is none."""
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def compile_table(document: RoutesDocument, prompts: Mapping[str, str]) -> RouteTable:
    """The table of a document without mistakes; `prompts` are the system prompts of personas."""
    timeouts = build_timeouts(document.timeouts, Timeouts())
    return RouteTable(
        models={name: _model(spec, timeouts) for name, spec in document.models.items()},
        aliases={name: resolve_alias(name, document.aliases) for name in document.aliases},
        personas={
            name: PersonaRoute(
                Persona(name, prompts[name], spec.defaults),
                resolve_alias(spec.model, document.aliases),
            )
            for name, spec in document.personas.items()
        },
        rules=tuple(_rule(spec) for spec in document.rules),
        servers={
            name: Server(name, spec.base_url, spec.key_variable or "")
            for name, spec in document.providers.items()
        },
        prices=build_prices(document),
        default_price=_default(document.default_price),
        timeouts=timeouts,
    )


def resolve_alias(name: str, aliases: Mapping[str, str]) -> str:
    """What a name stands for. A cycle ends where it closes; checks refuse such a file before."""
    seen = {name}
    while name in aliases:
        name = aliases[name]
        if name in seen:
            break
        seen.add(name)
    return name


def build_timeouts(spec: TimeoutSpec | None, around: Timeouts) -> Timeouts:
    """The deadlines of `spec`; what it leaves out is as `around`."""
    if spec is None:
        return around
    return Timeouts(
        first_token=spec.first_token_seconds or around.first_token,
        idle=spec.idle_seconds or around.idle,
        total=spec.total_seconds or around.total,
    )


def build_prices(document: RoutesDocument) -> dict[tuple[str, str], FlatRates]:
    """Prices by provider and model."""
    found = {}
    for name, spec in document.prices.items():
        provider, _, model = name.partition("/")
        found[provider, model] = _rates(spec)
    return found


def _model(spec: ModelSpec, around: Timeouts) -> ModelRoute:
    return ModelRoute(
        chain=tuple(
            ModelTarget(model_target.provider, model_target.model) for model_target in spec.chain
        ),
        timeouts=build_timeouts(spec.timeouts, around),
        cache=None if spec.cache is None else CachePolicy(spec.cache.ttl_seconds),
        caches_prefix=spec.prompt_cache == "auto",
    )


def _rule(spec: RuleSpec) -> Rule:
    return Rule(spec.agents or (), spec.users or (), spec.models or (), spec.persona)


def _default(spec: PriceSpec | None) -> FlatRates | None:
    return None if spec is None else replace(_rates(spec), is_default=True)


def _rates(spec: PriceSpec) -> FlatRates:
    write = spec.cache_write5m or spec.input
    table = {
        "input": Decimal(spec.input),
        "output": Decimal(spec.output),
        "cache_read": Decimal(spec.cache_read or spec.input),
        "cache_write_5m": Decimal(write),
        "cache_write_1h": Decimal(spec.cache_write1h or write),
    }
    if spec.web_search is not None:
        table["web_searches"] = Decimal(spec.web_search) * _THOUSANDS_PER_MILLION
    return FlatRates(table)
