"""Routes as a file compiles to, and the resolution of model names in them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatchcase

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.money.prices import FlatRates, Rates
from heliostat_gateway.providers.catalog import Offer, Server
from heliostat_gateway.providers.credentials import Credential
from heliostat_gateway.routes.document import (
    PERSONA_PREFIX,
    ModelSpec,
    PriceSpec,
    RoutesDocument,
    RuleSpec,
    TimeoutSpec,
)
from heliostat_gateway.routes.plans import CachePolicy, Candidate, Persona, Timeouts

_THOUSANDS_PER_MILLION = 1000


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


def persona_of(name: str) -> str:
    """The persona that a model name asks for; empty when it asks for none."""
    return name.removeprefix(PERSONA_PREFIX) if name.startswith(PERSONA_PREFIX) else ""


def _model(spec: ModelSpec, around: Timeouts) -> ModelRoute:
    return ModelRoute(
        chain=tuple(
            ModelTarget(model_target.provider, model_target.model) for model_target in spec.chain
        ),
        timeouts=build_timeouts(spec.timeouts, around),
        cache=None if spec.cache is None else CachePolicy(spec.cache.ttl_seconds),
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


@dataclass(frozen=True)
class RouteEntry:
    """One entry of a chain as it stands now."""

    model_target: ModelTarget
    offer: Offer | None
    credentials: tuple[Credential, ...]
    rates: Rates | None

    @property
    def dropped(self) -> str:
        """The reason why this entry can not be asked; empty when it can."""
        if self.offer is None:
            return f"no provider is called {self.model_target.provider}"
        if self.rates is None:
            return "no price is known"
        return "" if self.credentials else self.offer.remedy


@dataclass(frozen=True)
class ResolvedRoute:
    """The route of a model name for one caller, before keys are put in order."""

    model: str  # as asked for
    resolution_steps: tuple[str, ...]  # why this route: alias, rule, persona
    entries: tuple[RouteEntry, ...]
    timeouts: Timeouts
    persona: Persona | None = None
    cache: CachePolicy | None = None

    def candidates(self, turn: int) -> Iterator[Candidate]:
        """The ways with each of their keys; `turn` says which key of several comes first."""
        for entry in self.entries:
            if entry.offer is None or entry.offer.provider is None or entry.rates is None:
                continue
            for credential in rotate(entry.credentials, turn):
                yield Candidate(
                    entry.offer.provider,
                    credential,
                    entry.model_target.target,
                    entry.rates,
                    self.timeouts,
                )


def resolve_name(
    table: RouteTable, model: str, caller: Caller, resolution_steps: list[str]
) -> tuple[str, Persona | None]:
    """The name behind aliases, rules and personas, and the persona; says why in `trail`."""
    name = table.aliases.get(model, model)
    if name != model:
        resolution_steps.append(f"{model} is an alias of {name}")
    wanted = persona_of(name)
    if not wanted:
        for number, rule in enumerate(table.rules, 1):
            if rule.fits(model, caller):
                wanted = rule.persona
                resolution_steps.append(f"rule {number} gives it the persona {wanted}")
                break
    found = table.personas.get(wanted)
    if found is None:
        return name, None
    resolution_steps.append(f"the persona {wanted} is answered by {found.model}")
    return found.model, found.persona


def rotate(credentials: tuple[Credential, ...], turn: int) -> tuple[Credential, ...]:
    """The same keys, another one first at each turn."""
    if len(credentials) < 2:
        return credentials
    first = turn % len(credentials)
    return credentials[first:] + credentials[:first]


def tell(entries: Iterable[RouteEntry], candidates: Iterable[Candidate]) -> Iterator[str]:
    """Who is asked in which order, and who is not, in words without secrets."""
    for number, candidate in enumerate(candidates, 1):
        yield (
            f"candidate {number}: {candidate.provider.name}/{candidate.target} with "
            f"{candidate.credential.name}"
        )
    for entry in entries:
        if entry.dropped:
            target = entry.model_target
            yield f"dropped {target.provider}/{target.target}: {entry.dropped}"


def no_persona(name: str, table: RouteTable) -> str:
    """The refusal of an unknown persona."""
    there = ", ".join(sorted(table.personas)) or "none"
    return f"No persona is called {name}. There are: {there}."
