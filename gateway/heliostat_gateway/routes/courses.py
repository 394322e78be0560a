"""What a model name means to a caller, before keys are put in order. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.money.prices import Rates
from heliostat_gateway.providers.catalog import Offer
from heliostat_gateway.providers.credentials import Credential
from heliostat_gateway.routes.plans import CachePolicy, Candidate, Persona, Timeouts
from heliostat_gateway.routes.table import Hop, RouteTable, persona_of


@dataclass(frozen=True)
class Way:
    """One entry of a chain as it stands now."""

    hop: Hop
    offer: Offer | None
    credentials: tuple[Credential, ...]
    rates: Rates | None

    @property
    def dropped(self) -> str:
        """Why nobody can be asked; empty when somebody can."""
        if self.offer is None:
            return f"no provider is called {self.hop.provider}"
        if self.rates is None:
            return "no price is known"
        return "" if self.credentials else self.offer.remedy


@dataclass(frozen=True)
class Course:
    """What a name means to a caller, before keys are put in order."""

    model: str  # as asked for
    trail: tuple[str, ...]  # why this course: alias, rule, persona
    ways: tuple[Way, ...]
    timeouts: Timeouts
    persona: Persona | None = None
    cache: CachePolicy | None = None

    def candidates(self, turn: int) -> Iterator[Candidate]:
        """The ways with each of their keys; `turn` says which key of several comes first."""
        for way in self.ways:
            if way.offer is None or way.offer.provider is None or way.rates is None:
                continue
            for credential in rotate(way.credentials, turn):
                yield Candidate(
                    way.offer.provider, credential, way.hop.target, way.rates, self.timeouts
                )


def resolve_name(
    table: RouteTable, model: str, caller: Caller, trail: list[str]
) -> tuple[str, Persona | None]:
    """The name behind aliases, rules and personas, and the persona; says why in `trail`."""
    name = table.aliases.get(model, model)
    if name != model:
        trail.append(f"{model} is an alias of {name}")
    wanted = persona_of(name)
    if not wanted:
        for number, rule in enumerate(table.rules, 1):
            if rule.fits(model, caller):
                wanted = rule.persona
                trail.append(f"rule {number} gives it the persona {wanted}")
                break
    found = table.personas.get(wanted)
    if found is None:
        return name, None
    trail.append(f"the persona {wanted} is answered by {found.model}")
    return found.model, found.persona


def rotate(credentials: tuple[Credential, ...], turn: int) -> tuple[Credential, ...]:
    """The same keys, another one first at each turn."""
    if len(credentials) < 2:
        return credentials
    first = turn % len(credentials)
    return credentials[first:] + credentials[:first]


def tell(ways: Iterable[Way], candidates: Iterable[Candidate]) -> Iterator[str]:
    """Who is asked in which order, and who is not, in words without secrets."""
    for number, candidate in enumerate(candidates, 1):
        yield (
            f"candidate {number}: {candidate.provider.name}/{candidate.target} with "
            f"{candidate.credential.name}"
        )
    for way in ways:
        if way.dropped:
            yield f"dropped {way.hop.provider}/{way.hop.target}: {way.dropped}"


def no_persona(name: str, table: RouteTable) -> str:
    """The refusal of an unknown persona."""
    there = ", ".join(sorted(table.personas)) or "none"
    return f"No persona is called {name}. There are: {there}."
