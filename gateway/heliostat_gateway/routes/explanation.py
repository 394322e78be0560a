"""A plan for people and programs: who is asked, at which price, and why. Without secrets."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel

from heliostat_gateway.access.callers import Caller
from heliostat_gateway.money.bookings import Usage
from heliostat_gateway.money.prices import Rates
from heliostat_gateway.routes.plans import (
    Candidate,
    NotServed,
    Plan,
    ResolvedRoute,
    RouteReason,
    deadlines_of,
)
from heliostat_gateway.routes.routing import Router
from heliostat_gateway.routes.table import Timeouts


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class ExplainedPersona(_Document):
    """The persona of a plan; its prompt only by size."""

    name: str
    system_characters: int
    defaults: dict[str, JsonValue]


class ExplainedTimeouts(_Document):
    """Deadlines of each attempt."""

    first_token_seconds: float
    idle_seconds: float
    total_seconds: float


class ExplainedCandidate(_Document):
    """One attempt. Prices are dollars per million tokens of a small request, as texts."""

    provider: str
    model: str
    credential: str
    price: dict[str, str]


class DroppedCandidate(_Document):
    """An entry of the chain that nobody can be asked for now."""

    provider: str
    model: str
    why: str


class Explanation(_Document):
    """What the gateway would do with a request for a model."""

    model: str
    agent: str
    served: bool
    reason: RouteReason
    message: str
    because: list[str]
    persona: ExplainedPersona | None = None
    cache_ttl_seconds: int | None = None
    timeouts: ExplainedTimeouts | None = None
    candidates: list[ExplainedCandidate] = []
    dropped: list[DroppedCandidate] = []


def explain(router: Router, model: str, caller: Caller, at: datetime) -> Explanation:
    """The plan for a model name, in words and figures."""
    resolved_route = router.resolved_route(model, caller, at)
    plan = router.plan(model, caller, at)
    told = Explanation(
        model=model,
        agent=caller.agent,
        served=isinstance(plan, Plan),
        reason=plan.reason if isinstance(plan, NotServed) else RouteReason.SERVED,
        message=plan.message if isinstance(plan, NotServed) else "",
        because=[],
    )
    if isinstance(resolved_route, NotServed):
        return told
    candidates = plan.candidates if isinstance(plan, Plan) else ()
    return told.model_copy(update=_details(resolved_route, candidates))


def _details(
    resolved_route: ResolvedRoute, candidates: tuple[Candidate, ...]
) -> Mapping[str, object]:
    persona = resolved_route.persona
    return {
        "because": list(resolved_route.resolution_steps),
        "persona": persona
        and ExplainedPersona(
            name=persona.name,
            system_characters=len(persona.system),
            defaults=persona.defaults,
        ),
        "cache_ttl_seconds": resolved_route.cache and resolved_route.cache.ttl_seconds,
        "timeouts": _timeouts(resolved_route.timeouts, is_only=len(candidates) <= 1),
        "candidates": [
            ExplainedCandidate(
                provider=each.provider.name,
                model=each.target,
                credential=each.credential.name,
                price=_price(each.rates),
            )
            for each in candidates
        ],
        "dropped": [
            DroppedCandidate(
                provider=entry.model_target.provider,
                model=entry.model_target.target,
                why=entry.dropped,
            )
            for entry in resolved_route.entries
            if entry.dropped
        ],
    }


def _timeouts(timeouts: Timeouts, *, is_only: bool) -> ExplainedTimeouts:
    """Those of the first attempt of a request that does not ask for reasoning."""
    deadlines = deadlines_of(timeouts, reasons=False, is_last=is_only)
    return ExplainedTimeouts(
        first_token_seconds=deadlines.first_token,
        idle_seconds=deadlines.idle,
        total_seconds=deadlines.total,
    )


def _price(rates: Rates) -> dict[str, str]:
    return {kind: _plain(price) for kind, price in rates.table(Usage()).items()}


def _plain(price: Decimal) -> str:
    """Without zeros at the end and without an exponent."""
    text = f"{price:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
