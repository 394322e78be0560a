"""What the ledger is told of a request, and what it tells of executions and of itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from heliostat_gateway.access.callers import Caller


@dataclass(frozen=True)
class Iteration:
    """A model request inside one answer: its size and maybe its model are its own.

    `model` is empty where it is that of the answer.
    """

    kind: str
    model: str = ""
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


@dataclass(frozen=True)
class Terms:
    """What an answer says about its price beside counts.

    `parts` are shares of the counts that may have a price of their own, such as `input_audio`;
    `stated_dollars` is what the provider says that the answer cost; `unpriced` names what the
    price book can not price: such an answer is never called exact.
    """

    tier: str = ""  # of service; empty: standard
    geo: str = ""  # where the model ran; empty: anywhere
    parts: tuple[tuple[str, int], ...] = ()
    iterations: tuple[Iteration, ...] = ()
    stated_dollars: str = ""
    unpriced: tuple[str, ...] = ()


PLAIN: Final = Terms()


@dataclass(frozen=True)
class Usage:
    """Tokens by kind. Total input is input + cache_read + both cache writes.

    `thinking` is a part of output, shown apart.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    thinking: int = 0
    speed: str = ""
    terms: Terms = PLAIN

    @property
    def total_input(self) -> int:
        """All tokens that were put in, cached or not."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def total(self) -> int:
        """All tokens, as a token cap counts them."""
        return self.total_input + self.output


def sum_usages(usages: Sequence[Usage]) -> Usage:
    """The tokens of all, by kind."""
    if len(usages) == 1:
        return usages[0]
    return Usage(
        input=sum(each.input for each in usages),
        output=sum(each.output for each in usages),
        cache_read=sum(each.cache_read for each in usages),
        cache_write_5m=sum(each.cache_write_5m for each in usages),
        cache_write_1h=sum(each.cache_write_1h for each in usages),
        web_searches=sum(each.web_searches for each in usages),
        thinking=sum(each.thinking for each in usages),
    )


class CapReachedError(Exception):
    """A cap has no room for this request. Figures are in the unit of `what`.

    `what` is cost (nano-dollars), tokens or turns; `budget` is the named budget, empty for a cap of
    the key itself; `until_ms` is the end of the budget's period, None when waiting does not help;
    `needed` is what a strict key would have to reserve at least, else 0.
    """

    def __init__(
        self,
        what: str,
        cap: int,
        spent: int,
        *,
        budget: str = "",
        until_ms: int | None = None,
        needed: int = 0,
    ) -> None:
        super().__init__(f"{budget}: {what}" if budget else what)
        self.what = what
        self.cap = cap
        self.spent = spent  # and reserved by open calls
        self.budget = budget
        self.until_ms = until_ms
        self.needed = needed

    @property
    def left(self) -> int:
        """What is neither spent nor reserved."""
        return max(0, self.cap - self.spent)


class UnknownBudgetError(Exception):
    """A key names a budget that nobody defined: refused, because no cap would mean no limit."""

    def __init__(self, budget: str) -> None:
        super().__init__(f"The budget {budget} is not defined. Define it, or take it off the key.")
        self.budget = budget


class SharedLedgerAwayError(Exception):
    """A strict key can't be served while the shared ledger is away: 503, asked again later."""


@dataclass(frozen=True)
class Bound:
    """The most that a request can use, from above; `output_rate` is nano-dollars per 1,000 tokens.

    `input_nanos` holds everything but output. `max_tokens` is for one of `choices` answers.
    """

    input_tokens: int
    input_nanos: int
    max_tokens: int
    output_rate: int
    choices: int = 1


@dataclass(frozen=True)
class Estimate:
    """What a request will probably use: counted input and expected output.

    `output_nanos` is the part of `cost_nanos` that is output. A strict key needs `bound`.
    """

    usage: Usage
    cost_nanos: int
    output_nanos: int = 0
    bound: Bound | None = None


@dataclass(frozen=True)
class Opening:
    """What is known of a request before it is made.

    `usage` and `cost_nanos` are what would be booked if the gateway died now (counted input);
    `estimate` is what is reserved.
    """

    id: str
    caller: Caller
    session: str
    provider: str
    model: str
    started_ms: int
    usage: Usage
    cost_nanos: int
    estimate: Estimate
    credential: str = ""


@dataclass(frozen=True)
class Reserved:
    """What was reserved. `max_tokens` is what a strict key may still output, else None."""

    nanos: int
    tokens: int
    max_tokens: int | None = None


@dataclass(frozen=True)
class Booking:
    """What one part of a request has used: so far, or in the end.

    Parts, from 1 and without gaps, are the attempts that reached a provider; a request that cost
    nothing has one part.
    """

    id: str
    part: int
    provider: str
    model: str
    credential: str
    usage: Usage
    cost_nanos: int
    reported: bool
    estimated: bool
    outcome: str
    provider_request: str = ""


@dataclass(frozen=True)
class LedgerRow:
    """One part of a request as it stands in the ledger; `ended_ms` is None while it is open."""

    key: str  # id of the key that asked
    started_ms: int
    ended_ms: int | None
    booking: Booking


@dataclass(frozen=True)
class Head:
    """What all rows of a request have in common; `counted` are the keys of the sums it adds to."""

    id: str
    account: str
    key: str
    kind: str
    user: str
    agent: str
    execution: str
    attempt: int
    correlation: str
    session: str
    started_ms: int
    counted: tuple[str, ...]


@dataclass(frozen=True)
class AttemptTotal:
    """Sums of one attempt."""

    attempt: int
    cost_nanos: int
    requests: int


@dataclass(frozen=True)
class ExecutionTotal:
    """Sums of one execution over its rows; open requests count with what they have used so far."""

    cost_nanos: int = 0
    requests: int = 0
    settled: bool = True
    estimated: bool = False
    usage: Usage = field(default_factory=Usage)
    provider: str | None = None
    model: str | None = None
    attempts: tuple[AttemptTotal, ...] = ()


class LedgerMode(StrEnum):
    """Where reservations are made now."""

    EMBEDDED = "embedded"  # one process with its own file
    SHARED = "shared"  # Redis, seen by all gateways
    LOCAL = "local"  # Redis is away: a share of what was left, records in the spool


@dataclass(frozen=True)
class LedgerState:
    """How the ledger is, for /readyz, headers and metrics.

    `spooled` requests wait to be replayed; `gateways` is the number of live ones last known;
    `outages` counts how often Redis went away.
    """

    mode: LedgerMode
    spooled: int = 0
    gateways: int = 1
    outages: int = 0
    reason: str = ""


def head_of(opening: Opening, counted: tuple[str, ...]) -> Head:
    """The common part of the rows of a request."""
    caller = opening.caller
    return Head(
        id=opening.id,
        account=caller.account,
        key=caller.key,
        kind=caller.kind.value,
        user=caller.user,
        agent=caller.agent,
        execution=caller.execution,
        attempt=caller.attempt,
        correlation=caller.correlation,
        session=opening.session,
        started_ms=opening.started_ms,
        counted=counted,
    )


def first_booking(opening: Opening) -> Booking:
    """The row that is written ahead."""
    return Booking(
        id=opening.id,
        part=1,
        provider=opening.provider,
        model=opening.model,
        credential=opening.credential,
        usage=opening.usage,
        cost_nanos=opening.cost_nanos,
        reported=False,
        estimated=True,
        outcome="open",
    )


def nanos_of(bookings: list[Booking]) -> int:
    """Cost of all parts."""
    return sum(booking.cost_nanos for booking in bookings)


def tokens_of(bookings: list[Booking]) -> int:
    """Tokens of all parts, as a token cap counts them."""
    return sum(booking.usage.total for booking in bookings)


def turns_of(bookings: list[Booking]) -> int:
    """1 for a request that used anything; one that used nothing gives its turn back."""
    return int(any(booking.cost_nanos or booking.usage.total for booking in bookings))
