"""Callers: who a key of any kind says that they are."""

from dataclasses import dataclass, field
from enum import StrEnum

from heliostat_core.keys import ExecutionClaims, PersonClaims


class KeyKind(StrEnum):
    """What a key was made for."""

    EXECUTION = "execution"  # one attempt of a run; signed by the operator, dies with the run
    USER = "user"  # a person's
    SERVICE = "service"  # a program's


class Scope(StrEnum):
    """What a user or service key opens."""

    MODELS = "models"
    ADMIN = "admin"
    API = "api"


@dataclass(frozen=True)
class Caps:
    """What a key may use in all; None is no cap. Money in nano-dollars."""

    cost_nanos: int | None = None
    tokens: int | None = None
    turns: int | None = None  # model calls
    strict: bool = False  # reserve the full possible cost before each call

    def __bool__(self) -> bool:
        return not (self.cost_nanos is None and self.tokens is None and self.turns is None)


@dataclass(frozen=True)
class Caller:
    """The bearer of a good key, and what its requests are booked on."""

    key: str  # id of the key, the unit of revocation; never the key itself
    kind: KeyKind
    account: str  # what the key's caps are counted on: an execution's uid, else the key's id
    user: str = ""
    agent: str = ""  # namespace/name
    execution: str = ""  # uid
    attempt: int = 0
    correlation: str = ""
    session: str = ""  # what it is about, where the key says so: a conversation
    caps: Caps = field(default_factory=Caps)
    budgets: tuple[str, ...] = ()  # names of budgets that its requests count on
    egress: tuple[tuple[str, tuple[int, ...]], ...] = ()  # hosts and ports outside, for the proxy
    refused: tuple[str, ...] = ()  # networks that none of these hosts may lead to
    models: tuple[str, ...] = ("*",)  # patterns of model names that it may ask for
    scopes: frozenset[Scope] = frozenset({Scope.MODELS})

    @property
    def cache_scope(self) -> str:
        """The owner of the cached answers that it may see: user, else agent, else key."""
        return self.user or self.agent or self.key


def caller_of_execution(claims: ExecutionClaims) -> Caller:
    """The caller behind an execution key; all attempts of an execution share its caps."""
    return Caller(
        key=claims.jti,
        kind=KeyKind.EXECUTION,
        account=claims.execution_uid,
        user=claims.user,
        agent=claims.agent,
        execution=claims.execution_uid,
        attempt=claims.attempt,
        correlation=claims.correlation_id,
        caps=Caps(claims.cap_nanos, claims.cap_tokens),
        budgets=claims.budgets,
        egress=claims.egress,
        refused=claims.refused,
    )


def account_of_person(person: str) -> str:
    """What all conversations of a person are counted on."""
    return f"person/{person}"


def caller_of_person(claims: PersonClaims) -> Caller:
    """The caller behind a person key; all conversations of a person share an account."""
    return Caller(
        key=claims.jti,
        kind=KeyKind.USER,
        account=account_of_person(claims.person),
        user=claims.person,
        correlation=claims.correlation_id,
        session=claims.conversation,
        budgets=claims.budgets,
    )
