"""Reserve before, settle after: the arithmetic of caps, without I/O."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.access.callers import Caps
from heliostat_gateway.money.bookings import Bound, CapReachedError, Estimate, Reserved, Usage
from heliostat_gateway.money.budgets import Budget, BudgetPeriod
from heliostat_gateway.money.reservations import (
    Counted,
    Used,
    affordable,
    counted_of,
    held_after_note,
    output_nanos,
    reserve,
)
from support.ledgers import opening, service

BOUNDS = st.builds(
    Bound,
    input_tokens=st.integers(0, 500),
    input_nanos=st.integers(0, 5000),
    max_tokens=st.integers(0, 300),
    output_rate=st.integers(0, 30_000),
    choices=st.integers(1, 3),
)


def estimate(cost: int = 0, tokens: int = 0, bound: Bound | None = None) -> Estimate:
    return Estimate(Usage(input=tokens), cost, 0, bound)


@given(st.integers(-10, 10**15), BOUNDS)
def test_what_is_affordable_is_exactly_what_fits(nanos: int, bound: Bound) -> None:
    tokens = affordable(nanos, bound)
    if nanos < 0:
        assert tokens < 0
    elif bound.output_rate:
        assert output_nanos(tokens, bound) <= nanos < output_nanos(tokens + 1, bound) + 1
    else:
        assert tokens == bound.max_tokens


@st.composite
def plays(draw: st.DrawFn) -> tuple[Counted, list[tuple[int, Bound, int, int]]]:
    """Caps, and callers that open and settle in any order: moment, bound, shares of use."""
    caps = Counted(
        "account:a",
        draw(st.none() | st.integers(0, 20_000)),
        draw(st.none() | st.integers(0, 3000)),
        draw(st.none() | st.integers(0, 10)),
    )
    share = st.integers(0, 100)
    return caps, draw(st.lists(st.tuples(st.integers(0, 1), BOUNDS, share, share), max_size=25))


def play(
    caps: Counted, steps: list[tuple[int, Bound, int, int]], *, strict: bool
) -> tuple[Used, list[Reserved]]:
    """Sums in the end when every second step may also settle the oldest open call."""
    spent_nanos = spent_tokens = spent_turns = 0
    held: list[tuple[Reserved, int, int]] = []
    ever: list[Reserved] = []
    for settles, bound, nanos_share, tokens_share in steps:
        if settles and held:
            _, nanos, tokens = held.pop(0)
            spent_nanos, spent_tokens, spent_turns = (
                spent_nanos + nanos,
                spent_tokens + tokens,
                spent_turns + 1,
            )
        used = Used(
            spent_nanos + sum(one.nanos for one, *_ in held),
            spent_tokens + sum(one.tokens for one, *_ in held),
            spent_turns + len(held),
        )
        most = bound.input_nanos + output_nanos(bound.max_tokens, bound)
        all_tokens = bound.input_tokens + bound.max_tokens * bound.choices
        try:
            found = reserve(
                (caps,), {caps.key: used}, estimate(most, all_tokens, bound), strict=strict
            )
        except CapReachedError:
            continue
        ever.append(found)
        held.append((found, found.nanos * nanos_share // 100, found.tokens * tokens_share // 100))
    return Used(
        spent_nanos + sum(nanos for _, nanos, _ in held),
        spent_tokens + sum(tokens for _, _, tokens in held),
        spent_turns + len(held),
    ), ever


@given(plays())
def test_a_strict_key_never_passes_a_cap(
    case: tuple[Counted, list[tuple[int, Bound, int, int]]],
) -> None:
    caps, steps = case
    used, _ = play(caps, [(s, b, 100, 100) for s, b, *_ in steps], strict=True)
    assert all(spent <= cap for _, cap, spent in caps.caps(used))
    used, _ = play(caps, steps, strict=True)
    assert all(spent <= cap for _, cap, spent in caps.caps(used))


@given(plays())
def test_a_plain_key_passes_a_cap_at_most_by_the_calls_in_flight(
    case: tuple[Counted, list[tuple[int, Bound, int, int]]],
) -> None:
    """With true estimates it is the one call that was let in while something was left."""
    caps, steps = case
    used, ever = play(caps, [(s, b, 100, 100) for s, b, *_ in steps], strict=False)
    if caps.nanos is not None:
        assert used.nanos < caps.nanos + max((one.nanos for one in ever), default=1) or not ever
    if caps.turns is not None:
        assert used.turns <= caps.turns


def test_max_tokens_is_lowered_to_what_is_left() -> None:
    bound = Bound(input_tokens=10, input_nanos=100, max_tokens=500, output_rate=2500)
    caps = Counted("account:a", nanos=1000, tokens=1000)
    found = reserve(
        (caps,), {caps.key: Used(nanos=400, tokens=3)}, estimate(bound=bound), strict=True
    )
    assert found == Reserved(nanos=600, tokens=210, max_tokens=200)


@pytest.mark.parametrize(
    ("caps", "left"),
    [
        (Counted("account:a", nanos=1000), Used(nanos=890)),  # a token costs ten of the ten left
        (Counted("account:a", tokens=100), Used(tokens=89)),
    ],
)
def test_a_call_is_let_in_with_one_token_of_output_and_refused_with_none(
    caps: Counted, left: Used
) -> None:
    bound = Bound(input_tokens=10, input_nanos=100, max_tokens=5, output_rate=10_000)
    found = reserve((caps,), {caps.key: left}, estimate(bound=bound), strict=True)
    assert found == Reserved(nanos=110, tokens=11, max_tokens=1)
    one_more = Used(nanos=left.nanos + 1, tokens=left.tokens + 1)
    with pytest.raises(CapReachedError):
        reserve((caps,), {caps.key: one_more}, estimate(bound=bound), strict=True)
    counting = replace(bound, max_tokens=0)  # asks for no output at all
    found = reserve((caps,), {caps.key: one_more}, estimate(bound=counting), strict=True)
    assert found == Reserved(nanos=100, tokens=10, max_tokens=0)


def test_a_refusal_says_which_cap_how_much_is_left_and_until_when() -> None:
    bound = Bound(input_tokens=10, input_nanos=700, max_tokens=500, output_rate=2500)
    caps = Counted("budget:team@2026-11", nanos=1000, budget="team", until_ms=77)
    with pytest.raises(CapReachedError) as caught:
        reserve((caps,), {caps.key: Used(nanos=400)}, estimate(bound=bound), strict=True)
    error = caught.value
    assert (error.what, error.budget, error.left, error.needed, error.until_ms) == (
        "cost",
        "team",
        600,
        703,
        77,
    )


def test_the_narrowest_of_all_caps_counts() -> None:
    bound = Bound(input_tokens=0, input_nanos=0, max_tokens=500, output_rate=1000)
    wide, narrow = Counted("account:a", nanos=1000), Counted("budget:b@all", nanos=90, budget="b")
    used = {wide.key: Used(), narrow.key: Used(nanos=40)}
    assert reserve((wide, narrow), used, estimate(bound=bound), strict=True).max_tokens == 50


def test_turns_are_reserved_too() -> None:
    caps = Counted("account:a", turns=2)
    with pytest.raises(CapReachedError, match="turns"):
        reserve((caps,), {caps.key: Used(turns=2)}, estimate(), strict=False)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000), st.booleans())
def test_a_note_never_holds_less_than_what_is_used(
    held: int, noted: int, output: int, firm: bool
) -> None:
    after = held_after_note(held, noted, output, firm=firm)
    assert noted <= after <= max(held, noted)
    if firm:
        assert after >= held


@pytest.mark.parametrize(
    ("held", "noted", "output", "firm", "after"),
    [
        (100, 30, 20, False, 50),  # the input is known, and only output is expected
        (100, 30, 20, True, 100),
        (100, 90, 20, False, 100),  # never more than was held
        (100, 130, 20, False, 130),  # but for what is used
        (100, 130, 20, True, 130),
    ],
)
def test_a_note_gives_back_what_is_not_expected_any_more(
    held: int, noted: int, output: int, firm: bool, after: int
) -> None:
    assert held_after_note(held, noted, output, firm=firm) == after


@pytest.mark.parametrize(("dearest", "nanos"), [(0, 70), (50, 50), (90, 70)])
def test_a_plain_key_holds_at_most_what_the_dearest_call_of_its_account_cost(
    dearest: int, nanos: int
) -> None:
    account, budget = Counted("account:a"), Counted("budget:b@all", nanos=1000, budget="b")
    used = {account.key: Used(dearest=dearest), budget.key: Used(dearest=5)}
    found = reserve((account, budget), used, estimate(cost=70, tokens=9), strict=False)
    assert found == Reserved(nanos, 9)
    assert found.max_tokens is None


@pytest.mark.parametrize(
    ("what", "used"),
    [("cost", Used(nanos=10)), ("tokens", Used(tokens=10)), ("turns", Used(turns=10))],
)
def test_a_call_is_let_in_while_anything_is_left(what: str, used: Used) -> None:
    caps = Counted("account:a", nanos=10, tokens=10, turns=10)
    less = Used(*(max(0, each - 1) for each in (used.nanos, used.tokens, used.turns)))
    assert reserve((caps,), {caps.key: less}, estimate(cost=70), strict=False).nanos == 70
    with pytest.raises(CapReachedError) as caught:
        reserve((caps,), {caps.key: used}, estimate(cost=70), strict=False)
    error = caught.value
    assert (error.what, error.cap, error.spent, error.needed) == (what, 10, 10, 0)
    assert (error.budget, error.until_ms) == ("", None)


@pytest.mark.parametrize(("max_tokens", "needed"), [(5, 10 + 1 * 3), (0, 10)])
def test_a_strict_call_needs_its_input_and_a_token_of_each_choice(
    max_tokens: int, needed: int
) -> None:
    bound = Bound(10, 0, max_tokens, 0, choices=3)
    caps = Counted("account:a", tokens=9)
    with pytest.raises(CapReachedError) as caught:
        reserve((caps,), {caps.key: Used(tokens=1)}, estimate(bound=bound), strict=True)
    assert caught.value.needed == needed


def test_an_account_counts_first_and_then_each_budget_in_its_period() -> None:
    day = Budget("day", 5, 6, BudgetPeriod.DAY)
    caller = service("key", Caps(cost_nanos=1, tokens=2, turns=3), ("day",))
    asked = opening("1", caller, started_ms=86_400_000)
    assert counted_of(asked, [day]) == (
        Counted("account:key", 1, 2, 3),
        Counted("budget:day@1970-01-02", 5, 6, None, "day", 2 * 86_400_000),
    )


def test_a_strict_key_is_never_reserved_for_without_a_bound() -> None:
    caps = Counted("account:a")
    with pytest.raises(ValueError, match="bound"):
        reserve((caps,), {caps.key: Used()}, estimate(), strict=True)
    assert reserve((caps,), {caps.key: Used()}, estimate(), strict=False).nanos == 0
