"""Circuit breakers: a provider is skipped after repeated failures.

The rules are pure functions over a `Breaker`; `redis_state/breakers.py` has the same rules in
Lua, and a test holds the two together.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol
from uuid import uuid4


class Result(StrEnum):
    """The result of an attempt, as the breaker counts it."""

    OK = "ok"  # it answers; also when it refused a request that was wrong in itself
    FAILED = "failed"
    UNKNOWN = "unknown"  # nothing: the client left, the key was revoked, nothing was sent


@dataclass(frozen=True)
class Limited:
    """It said when it may be asked again: `until`, seconds since the epoch. Believed as it is.

    `status` is that of the answer, such as 429; 0 when it is not known.
    """

    until: float
    status: int = 0


@dataclass(frozen=True)
class Closed:
    """Ask."""


@dataclass(frozen=True)
class Probe:
    """Ask: this is the one attempt that finds out. `record` must be told how it went."""

    token: str


@dataclass(frozen=True)
class Open:
    """Do not ask before `until`, seconds since the epoch; `status` is that of a stated limit."""

    until: float
    status: int = 0


Admission = Closed | Probe | Open
CLOSED: Final = Closed()


class BreakerState(StrEnum):
    """What people are shown."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # the next attempt, or the one under way, is the probe


@dataclass(frozen=True)
class BreakerPolicy:
    """When a breaker opens and for how long. Times are seconds."""

    window: float = 30.0  # results older than this do not count; kept in six parts
    minimum: int = 5  # results in the window, below which nothing is concluded
    failures: float = 0.5  # part of failures from which it opens
    first_wait: float = 5.0  # doubles with each failed probe
    longest_wait: float = 300.0  # of our own; a stated time is believed beyond it
    probe: float = 120.0  # a probe that was never heard of again is given up
    ask_again: float = 1.0  # told to those who come while another's probe is under way

    @property
    def part(self) -> float:
        """Length of one part of the window."""
        return self.window / 6


@dataclass(frozen=True)
class Breaker:
    """State of one breaker; closed while `until` is None."""

    counts: tuple[tuple[int, int, int], ...] = ()  # (part of time, ok, failed), oldest first
    until: float | None = None
    opened: int = 0  # times in a row
    probe: str = ""
    probe_until: float = 0.0
    status: int = 0  # of the limit that was stated, 0 for failures


@dataclass(frozen=True)
class BreakerStatus:
    """One breaker, as `/admin/breakers` shows it. `until` is seconds since the epoch."""

    key: str
    state: BreakerState
    until: float | None
    opened: int
    status: int = 0  # of a stated limit


@dataclass(frozen=True)
class BreakersState:
    """Whether breakers are shared now. `decisions` are those that were made alone."""

    mode: str  # local (no Redis wanted), shared, away
    away: int = 0  # times that Redis went away
    decisions: int = 0


class Breakers(Protocol):
    """One breaker for each `provider/model/credential`."""

    async def start(self) -> None:
        """Begins to listen to the others, if there are any."""

    async def close(self) -> None:
        """Stops listening."""

    async def admit(self, key: str) -> Admission:
        """Whether to ask now. Never raises; asks Redis only for a probe."""

    async def record(self, key: str, result: Result | Limited, admission: Admission) -> None:
        """How the attempt went that `admission` let through. Never raises."""

    def states(self) -> list[BreakerStatus]:
        """All breakers that are not closed, by key."""

    def state(self) -> BreakersState:
        """Whether they are shared."""


def admit(
    breaker: Breaker, now: float, token: str, policy: BreakerPolicy
) -> tuple[Breaker, Admission]:
    """The answer to one who wants to ask; `token` becomes the probe's when it is its turn."""
    if breaker.until is None:
        return breaker, CLOSED
    if now < breaker.until:
        return breaker, Open(breaker.until, breaker.status)
    if breaker.probe and now < breaker.probe_until:
        return breaker, Open(min(breaker.probe_until, now + policy.ask_again), breaker.status)
    return replace(breaker, probe=token, probe_until=now + policy.probe), Probe(token)


def record(
    breaker: Breaker, result: Result | Limited, token: str, now: float, policy: BreakerPolicy
) -> Breaker:
    """The breaker after a result; `token` is empty for an attempt that was no probe."""
    if isinstance(result, Limited) and result.until <= now:
        result = Result.FAILED  # a limit that is over already says no more than that
    if isinstance(result, Limited):
        return _limit(breaker, result, token)
    if breaker.until is not None:
        return (
            _judge_probe(breaker, result, now, policy) if token == breaker.probe != "" else breaker
        )
    if result is Result.UNKNOWN:
        return breaker
    ok, failed = (1, 0) if result is Result.OK else (0, 1)
    counted = count(breaker, ok, failed, now, policy)
    return _open(counted, now, policy) if failed and fails_too_often(counted, policy) else counted


def count(breaker: Breaker, ok: int, failed: int, now: float, policy: BreakerPolicy) -> Breaker:
    """The breaker with so many results more in the present part of time, without the old ones."""
    part = math.floor(now / policy.part)
    kept = [each for each in breaker.counts if part - 6 < each[0] < part]
    for each in breaker.counts:
        if each[0] == part:
            ok, failed = ok + each[1], failed + each[2]
    return replace(breaker, counts=(*kept, (part, ok, failed)))


def fails_too_often(breaker: Breaker, policy: BreakerPolicy) -> bool:
    """Whether enough results are in the window, and enough of them failures."""
    failed = sum(each[2] for each in breaker.counts)
    total = failed + sum(each[1] for each in breaker.counts)
    return total >= policy.minimum and failed >= policy.failures * total


def state_of(breaker: Breaker, now: float) -> BreakerState:
    """The state in words."""
    if breaker.until is None:
        return BreakerState.CLOSED
    return BreakerState.OPEN if now < breaker.until else BreakerState.HALF_OPEN


def _limit(breaker: Breaker, limited: Limited, token: str) -> Breaker:
    """Also late news of a limit is true: it may lengthen the wait, never shorten it."""
    ends_probe = token == breaker.probe
    # In milliseconds, as Redis reckons.
    is_longer = round(limited.until * 1000) > round((breaker.until or 0.0) * 1000)
    return replace(
        breaker,
        counts=(),
        until=max(limited.until, breaker.until or 0.0),
        status=limited.status if is_longer else breaker.status,
        opened=max(breaker.opened, 1),
        probe="" if ends_probe else breaker.probe,
    )


def _judge_probe(breaker: Breaker, result: Result, now: float, policy: BreakerPolicy) -> Breaker:
    if result is Result.OK:
        return Breaker()
    if result is Result.UNKNOWN:
        return replace(breaker, probe="")
    return _open(breaker, now, policy)


def _open(breaker: Breaker, now: float, policy: BreakerPolicy) -> Breaker:
    # The exponent is bounded so that the float never overflows.
    wait = min(policy.first_wait * 2 ** min(breaker.opened, 30), policy.longest_wait)
    # A limit that was stated while the probe was under way holds beyond our own wait.
    return Breaker(until=max(now + wait, breaker.until or 0.0), opened=breaker.opened + 1)


@dataclass
class LocalBreakers:
    """Breakers of one process."""

    policy: BreakerPolicy = field(default_factory=BreakerPolicy)
    clock: Callable[[], float] = time.time
    _breakers: dict[str, Breaker] = field(default_factory=dict, init=False)

    async def start(self) -> None:
        """Nothing to listen to."""

    async def close(self) -> None:
        """Nothing to stop."""

    async def admit(self, key: str) -> Admission:
        """Whether to ask now."""
        return self.admit_now(key)

    async def record(self, key: str, result: Result | Limited, admission: Admission) -> None:
        """How the attempt went."""
        self.record_now(key, result, token_of(admission))

    def admit_now(self, key: str) -> Admission:
        """`admit` without waiting."""
        breaker = self._breakers.get(key)
        if breaker is None or breaker.until is None:
            return CLOSED
        self._breakers[key], admission = admit(breaker, self.clock(), uuid4().hex, self.policy)
        return admission

    def record_now(self, key: str, result: Result | Limited, token: str) -> None:
        """`record` without waiting."""
        breaker = self._breakers.get(key, Breaker())
        after = record(breaker, result, token, self.clock(), self.policy)
        if after == Breaker():
            self._breakers.pop(key, None)
        else:
            self._breakers[key] = after

    def put(self, key: str, breaker: Breaker) -> None:
        """Begins with what is already known."""
        self._breakers[key] = breaker

    def states(self) -> list[BreakerStatus]:
        """All breakers that are not closed."""
        now = self.clock()
        return [
            BreakerStatus(key, state_of(each, now), each.until, each.opened, each.status)
            for key, each in sorted(self._breakers.items())
            if each.until is not None
        ]

    def state(self) -> BreakersState:
        """Never shared."""
        return BreakersState("local")


def token_of(admission: Admission) -> str:
    """The probe's token; empty for who was no probe."""
    return admission.token if isinstance(admission, Probe) else ""
