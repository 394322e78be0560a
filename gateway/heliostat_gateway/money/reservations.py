"""Reserve before, settle after: what a request may reserve, decided without I/O.

`redis_state/scripts/open.lua` and `note.lua` say the same in Lua; one state machine tests both.

A call is let in while anything is left, so a cap is overshot by at most the calls in flight. A
strict key reserves the most that a call can use, so its caps are never overshot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heliostat_gateway.money.bookings import Bound, CapReachedError, Estimate, Opening, Reserved
from heliostat_gateway.money.budgets import Budget, period_of

_RATE_TOKENS = 1000  # a Bound's output rate is for so many


@dataclass(frozen=True)
class Used:
    """Spent and held by open calls, in all. `dearest` is the dearest settled call, 0 for none."""

    nanos: int = 0
    tokens: int = 0
    turns: int = 0
    dearest: int = 0


@dataclass(frozen=True)
class Counted:
    """A sum that a request adds to, and its caps. `key` names the sum: account or budget period."""

    key: str
    nanos: int | None = None
    tokens: int | None = None
    turns: int | None = None
    budget: str = ""
    until_ms: int | None = None

    def caps(self, used: Used) -> list[tuple[str, int, int]]:
        """What, cap and use of each cap that there is."""
        triples = [
            ("cost", self.nanos, used.nanos),
            ("tokens", self.tokens, used.tokens),
            ("turns", self.turns, used.turns),
        ]
        return [(what, cap, spent) for what, cap, spent in triples if cap is not None]

    def refusal(self, what: str, cap: int, spent: int, needed: int = 0) -> CapReachedError:
        """The error of one of its caps."""
        return CapReachedError(
            what, cap, spent, budget=self.budget, until_ms=self.until_ms, needed=needed
        )


def account_key(account: str) -> str:
    """The name of an account's sum."""
    return f"account:{account}"


def counted_of(opening: Opening, budgets: Sequence[Budget]) -> tuple[Counted, ...]:
    """What a request counts on: its account first, then each budget in its present period."""
    caller = opening.caller
    caps = caller.caps
    account = Counted(account_key(caller.account), caps.cost_nanos, caps.tokens, caps.turns)
    return (account, *(counted_budget(budget, opening.started_ms) for budget in budgets))


def counted_budget(budget: Budget, at_ms: int) -> Counted:
    """A budget in the period of an instant."""
    period = period_of(budget, at_ms)
    return Counted(
        key=f"budget:{budget.name}@{period.name}",
        nanos=budget.cap_nanos,
        tokens=budget.cap_tokens,
        budget=budget.name,
        until_ms=period.end_ms,
    )


def reserve(
    counted: Sequence[Counted], used: Mapping[str, Used], estimate: Estimate, *, strict: bool
) -> Reserved:
    """What the request reserves on each sum. Raises CapReachedError.

    The first sum is the account. A plain key holds at most as much as the account's dearest
    settled call: input is counted without knowing the cache, and would else stop runs with a long,
    cached conversation.
    """
    for one in counted:
        for what, cap, spent in one.caps(used[one.key]):
            if spent >= cap:
                raise one.refusal(what, cap, spent)
    if strict:
        return _reserve_bound(counted, used, _bound_of(estimate))
    dearest = used[counted[0].key].dearest
    nanos = min(estimate.cost_nanos, dearest) if dearest else estimate.cost_nanos
    return Reserved(nanos, estimate.usage.total)


def _bound_of(estimate: Estimate) -> Bound:
    if estimate.bound is None:
        raise ValueError("A strict key needs an estimate with a bound.")
    return estimate.bound


def _reserve_bound(counted: Sequence[Counted], used: Mapping[str, Used], bound: Bound) -> Reserved:
    allowed = bound.max_tokens
    for one in counted:
        for what, cap, spent in one.caps(used[one.key]):
            if what == "cost":
                room = affordable(cap - spent - bound.input_nanos, bound)
                needed = bound.input_nanos + output_nanos(min(1, bound.max_tokens), bound)
            elif what == "tokens":
                room = (cap - spent - bound.input_tokens) // bound.choices
                needed = bound.input_tokens + min(1, bound.max_tokens) * bound.choices
            else:
                continue
            if room < min(1, bound.max_tokens):
                raise one.refusal(what, cap, spent, needed)
            allowed = min(allowed, room)
    return Reserved(
        bound.input_nanos + output_nanos(allowed, bound),
        bound.input_tokens + allowed * bound.choices,
        allowed,
    )


def output_nanos(tokens: int, bound: Bound) -> int:
    """What so many tokens of each choice cost at most."""
    return -(-tokens * bound.choices * bound.output_rate // _RATE_TOKENS)


def affordable(nanos: int, bound: Bound) -> int:
    """How many tokens of each choice `nanos` pay for; negative when nothing is left."""
    if nanos < 0:
        return -1
    price = bound.choices * bound.output_rate
    return nanos * _RATE_TOKENS // price if price else bound.max_tokens


def held_after_note(held: int, noted: int, output: int, *, firm: bool) -> int:
    """What an open call holds (nano-dollars or tokens) when it has used `noted` so far.

    With the provider's report the input is known, and only the expected `output` is added to it.
    `firm`: nothing is given back before the end (a strict key, or no report yet).
    """
    return max(noted, held if firm else min(held, noted + output))
