"""Plans: what a model name means, and the candidates for a request, in order; or why none. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.money.prices import Rates
from heliostat_gateway.providers import Provider
from heliostat_gateway.providers.catalog import Offer
from heliostat_gateway.providers.credentials import Credential
from heliostat_gateway.routes.document import PERSONA_PREFIX
from heliostat_gateway.routes.table import (
    CachePolicy,
    ModelTarget,
    Persona,
    RouteTable,
    Timeouts,
)


class RouteReason(StrEnum):
    """Why a model is served or not, in words of the admin interface."""

    SERVED = "Served"
    UNKNOWN_MODEL = "UnknownModel"
    PROVIDER_KEY_MISSING = "ProviderKeyMissing"
    SCRIPTED_NOT_CHOSEN = "ScriptedNotChosen"
    MODEL_NOT_ALLOWED = "ModelNotAllowed"  # by the caller's key; never said to the operator


_PATIENCE = 120.0  # where the next candidate can be asked instead
_REASONING_PATIENCE = 600.0  # a model that reasons may be silent for minutes


@dataclass(frozen=True)
class Deadlines:
    """How long one attempt may take, in seconds."""

    first_token: float  # from the request to the first content of a stream
    idle: float  # between two pieces of a stream
    total: float  # of the whole answer, streamed or not


def deadlines_of(timeouts: Timeouts, *, reasons: bool, is_last: bool) -> Deadlines:
    """Those of one attempt. The last candidate is ended early by nothing but a set limit.

    To end an answer that is only slow costs what it has used, and helps nobody where nobody else
    can be asked.
    """
    patience = _REASONING_PATIENCE if reasons else _PATIENCE
    first = timeouts.total if is_last else min(patience, timeouts.total)
    idle = min(_REASONING_PATIENCE if is_last else patience, timeouts.total)
    return Deadlines(
        first if timeouts.first_token is None else timeouts.first_token,
        idle if timeouts.idle is None else timeouts.idle,
        timeouts.total,
    )


@dataclass(frozen=True)
class Candidate:
    """One way to an answer: a provider's model with one key."""

    provider: Provider
    credential: Credential
    target: str  # model or scenario, in the provider's words
    rates: Rates
    timeouts: Timeouts

    def deadlines(self, *, reasons: bool, is_last: bool) -> Deadlines:
        """How long an attempt at it may take."""
        return deadlines_of(self.timeouts, reasons=reasons, is_last=is_last)

    @property
    def breaker_key(self) -> str:
        """What fails together: provider, model and key."""
        return f"{self.provider.name}/{self.target}/{self.credential.name}"

    @property
    def breaker_enabled(self) -> bool:
        """Whether failures give it a rest; those of a scenario are on purpose."""
        return self.provider.target_is_model


@dataclass(frozen=True)
class Plan:
    """The candidates for one request, best first; at least one."""

    model: str  # as the caller named it
    candidates: tuple[Candidate, ...]
    persona: Persona | None = None
    cache: CachePolicy | None = None
    caches_prefix: bool = False

    def booked_model(self, candidate: Candidate) -> str:
        """The model as it is booked: a scenario only plays the model that was asked for."""
        return candidate.target if candidate.provider.target_is_model else self.model


@dataclass(frozen=True)
class NotServed:
    """No provider answers this model."""

    reason: RouteReason
    message: str


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
    caches_prefix: bool = False

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
    """The name behind aliases, rules and personas, and the persona; adds why to the steps."""
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


def persona_of(name: str) -> str:
    """The persona that a model name asks for; empty when it asks for none."""
    return name.removeprefix(PERSONA_PREFIX) if name.startswith(PERSONA_PREFIX) else ""


def rotate(credentials: tuple[Credential, ...], turn: int) -> tuple[Credential, ...]:
    """The same keys, another one first at each turn."""
    if len(credentials) < 2:
        return credentials
    first = turn % len(credentials)
    return credentials[first:] + credentials[:first]


def no_persona(name: str, table: RouteTable) -> str:
    """The refusal of an unknown persona."""
    there = ", ".join(sorted(table.personas)) or "none"
    return f"No persona is called {name}. There are: {there}."
