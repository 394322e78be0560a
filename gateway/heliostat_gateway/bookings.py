"""What the ledger is told of a call, and what it tells of executions."""

from dataclasses import dataclass

from heliostat_gateway.callers import Caller
from heliostat_gateway.usage import Usage


class CapReachedError(Exception):
    """The execution may make no further call. `left` is in the unit of `cap`."""

    def __init__(self, what: str, cap: int, spent: int) -> None:
        super().__init__(what)
        self.what = what
        self.cap = cap
        self.spent = spent


@dataclass(frozen=True)
class Opening:
    """What is known of a call before it is made."""

    id: str
    caller: Caller
    session: str
    provider: str
    model: str
    started_ms: int
    usage: Usage  # counted input
    cost_nanos: int


@dataclass(frozen=True)
class Booking:
    """What a call has used: so far, or in the end."""

    id: str
    usage: Usage
    cost_nanos: int
    reported: bool
    estimated: bool
    outcome: str
    provider_request: str = ""


@dataclass(frozen=True)
class AttemptTotal:
    """Sums of one attempt."""

    attempt: int
    cost_nanos: int
    requests: int


@dataclass(frozen=True)
class ExecutionTotal:
    """Sums of one execution. Every figure is a sum over the rows."""

    cost_nanos: int
    requests: int
    settled: bool
    estimated: bool
    usage: Usage
    provider: str | None
    model: str | None
    attempts: tuple[AttemptTotal, ...]
