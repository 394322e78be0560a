"""Plans: the candidates for a request, in order, with their deadlines; or why there are none."""

from dataclasses import dataclass, field
from enum import StrEnum

from heliostat_gateway.money.prices import Rates
from heliostat_gateway.providers import Provider
from heliostat_gateway.providers.credentials import Credential
from heliostat_json.objects import JsonObject


class RouteReason(StrEnum):
    """Why a model is served or not, in words of the admin interface."""

    SERVED = "Served"
    UNKNOWN_MODEL = "UnknownModel"
    PROVIDER_KEY_MISSING = "ProviderKeyMissing"
    SCRIPTED_NOT_CHOSEN = "ScriptedNotChosen"
    MODEL_NOT_ALLOWED = "ModelNotAllowed"  # by the caller's key; never said to the operator


@dataclass(frozen=True)
class Timeouts:
    """Deadlines of one attempt, in seconds."""

    first_token: float = 120.0  # from the request to the first content of a stream
    idle: float = 120.0  # between two pieces of a stream
    total: float = 1800.0  # of the whole answer, streamed or not


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
class Candidate:
    """One way to an answer: a provider's model with one key."""

    provider: Provider
    credential: Credential
    target: str  # model or scenario, in the provider's words
    rates: Rates
    timeouts: Timeouts

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
    explanation: tuple[str, ...] = field(default=(), repr=False)

    def booked_model(self, candidate: Candidate) -> str:
        """The model as it is booked: a scenario only plays the model that was asked for."""
        return candidate.target if candidate.provider.target_is_model else self.model


@dataclass(frozen=True)
class NotServed:
    """No provider answers this model."""

    reason: RouteReason
    message: str
    explanation: tuple[str, ...] = field(default=(), repr=False)
