"""Requests as the ledger sees them, with figures that are easy to add up."""

from heliostat_core.keys import execution_claims
from heliostat_gateway.access.callers import Caller, Caps, KeyKind, caller_of_execution
from heliostat_gateway.money.bookings import Booking, Bound, Estimate, Opening, Usage


def holder(*, cap: int | None = None, tokens: int | None = None, attempt: int = 1) -> Caller:
    """The bearer of an execution key."""
    return caller_of_execution(
        execution_claims(
            namespace="default",
            execution="e",
            execution_uid="uid",
            attempt=attempt,
            agent="a",
            cap_nanos=cap,
            cap_tokens=tokens,
            correlation_id="c",
            issued=0,
            expires=2**40,
        )
    )


def service(
    account: str, caps: Caps, budgets: tuple[str, ...] = (), agent: str = "default/a"
) -> Caller:
    """The bearer of a service key."""
    return Caller(account, KeyKind.SERVICE, account, agent=agent, caps=caps, budgets=budgets)


def run(uid: str, caps: Caps, *, attempt: int = 1, budgets: tuple[str, ...] = ()) -> Caller:
    """The bearer of an execution key with any caps."""
    key = f"{uid}/{attempt}"
    return Caller(
        key,
        KeyKind.EXECUTION,
        uid,
        user="user",
        agent="default/a",
        execution=uid,
        attempt=attempt,
        caps=caps,
        budgets=budgets,
    )


def opening(
    name: str,
    who: Caller,
    cost: int = 100,
    size: int = 10,
    *,
    bound: Bound | None = None,
    started_ms: int = 1,
) -> Opening:
    """A request that counts `cost` and `size` input tokens, and expects no output."""
    usage = Usage(input=size)
    estimate = Estimate(usage, cost, 0, bound)
    return Opening(name, who, "", "scripted", "m", started_ms, usage, cost, estimate)


def booking(
    name: str,
    cost: int,
    *,
    reported: bool = True,
    estimated: bool = False,
    part: int = 1,
    usage: Usage | None = None,
    outcome: str = "answered",
) -> Booking:
    """A part that used five tokens in and two out."""
    found = Usage(input=5, output=2) if usage is None else usage
    return Booking(
        name, part, "scripted", "m", "", found, cost, reported, estimated, outcome, "req"
    )
