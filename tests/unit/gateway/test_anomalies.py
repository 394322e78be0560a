"""Anomalies: a run at six times the median is flagged, ordinary runs are left alone."""

from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_gateway.reports.anomalies import Against, deviation_of, judge, median_of
from heliostat_gateway.reports.histories import (
    AGENTS_KEPT,
    RUNS_KEPT,
    Histories,
    Run,
    Tier,
    tier_of,
)

CENT = 10_000_000
COSTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=60)


def ordinary(kind: str, chance: Random) -> int:
    """A cost around 20 cents. Bimodal: every fifth run does the big job, ten times as dear."""
    if kind.startswith("log-normal"):
        return int(20 * CENT * chance.lognormvariate(0, float(kind.split()[1])))
    scale, share = {
        "bimodal 4x": (4, 0.3),
        "bimodal 10x": (10, 0.2),
        "bimodal 10x, rare": (10, 0.05),
    }[kind]
    middle = 20 * CENT * (scale if chance.random() < share else 1)
    return int(middle * chance.lognormvariate(0, 0.2))


KINDS = (
    "log-normal 0.3",
    "log-normal 0.5",
    "log-normal 0.7",
    "bimodal 4x",
    "bimodal 10x",
    "bimodal 10x, rare",
)


def flagged(histories: Histories, run: Run) -> bool:
    found = judge(
        run.cost_nanos,
        histories.of(run.agent),
        lambda: histories.peers(run.agent, run.tier),
        CENT,
    )
    return found is not None


def nobody() -> list[int]:
    return []


def false_flags(kinds: tuple[str, ...], agents: int, runs: int, seed: int) -> int:
    """Flags in `agents` x `runs` ordinary runs that come in turn; agents differ in scale."""
    chance = Random(seed)
    histories = Histories()
    flags = 0
    scales = [Fraction(int(100 * chance.lognormvariate(0, 1)) + 1, 100) for _ in range(agents)]
    for number in range(agents * runs):
        agent = number % agents
        cost = int(scales[agent] * ordinary(kinds[agent % len(kinds)], chance))
        run = Run(str(number), f"a/{agent}", Tier.TOP, cost)
        flags += flagged(histories, run)
        histories.add(run)
    return flags


@pytest.mark.parametrize("kind", KINDS)
def test_at_most_one_in_a_hundred_ordinary_runs_is_flagged(kind: str) -> None:
    assert false_flags((kind,), agents=10, runs=1000, seed=20261122) <= 100


def test_many_short_histories_of_all_kinds_are_no_flood_of_flags() -> None:
    assert false_flags(KINDS, agents=100, runs=100, seed=7) <= 100


@pytest.mark.parametrize(
    "kind", ["log-normal 0.3", "log-normal 0.5", "log-normal 0.7", "bimodal 4x"]
)
@pytest.mark.parametrize("known", [8, 20, 50, 200])
def test_six_times_the_median_is_flagged(kind: str, known: int) -> None:
    chance = Random(11)
    for _ in range(20):
        history = [ordinary(kind, chance) for _ in range(known)]
        cost = -int(-6 * median_of(history) // 1)
        if max(history) < 0.8 * cost:
            assert judge(cost, history, nobody, CENT) is not None


@given(st.integers(CENT, 10**13), st.integers(8, 200))
def test_six_times_a_cost_that_never_varies_is_flagged(cost: int, known: int) -> None:
    found = judge(6 * cost, [cost] * known, nobody, CENT)
    assert found is not None
    assert (found.against, found.median_nanos) == (Against.HISTORY, cost)
    assert found.times == Fraction(6)


def test_a_run_that_costs_little_more_than_always_the_same_is_ordinary() -> None:
    same = [20 * CENT] * 30
    assert judge(59 * CENT, same, nobody, CENT) is None
    assert judge(60 * CENT, [20 * CENT] * 50, nobody, CENT) is not None  # long known, never varied


def test_small_change_is_never_flagged() -> None:
    assert judge(CENT - 1, [1000] * 30, nobody, CENT) is None


def test_an_agent_that_never_cost_anything_is_flagged_with_its_first_dear_run() -> None:
    found = judge(CENT, [0] * 30, nobody, CENT)
    assert found is not None
    assert (found.times, found.median_nanos) == (None, 0)


def test_nobody_knows_what_is_ordinary_without_history_and_peers() -> None:
    assert judge(10**15, [CENT] * 7, nobody, CENT) is None
    assert judge(10**15, [], lambda: [CENT] * 7, CENT) is None


def test_a_new_agent_is_compared_with_its_peers() -> None:
    peers = [20 * CENT, 15 * CENT, 25 * CENT, 30 * CENT, 10 * CENT, 22 * CENT, 18 * CENT, 40 * CENT]
    found = judge(130 * CENT, [CENT], lambda: peers, CENT)
    assert found is not None
    assert (found.against, found.known) == (Against.PEERS, 8)
    assert judge(130 * CENT, [], lambda: [*peers, 110 * CENT, 140 * CENT], CENT) is None


def test_a_long_history_decides_alone() -> None:
    assert judge(150 * CENT, [140 * CENT] * 8, lambda: [CENT] * 50, CENT) is None


def test_a_new_level_of_cost_is_flagged_a_few_times_then_known() -> None:
    history = [20 * CENT] * 200
    flags = 0
    for _ in range(50):
        flags += judge(300 * CENT, history, nobody, CENT) is not None
        history.append(300 * CENT)
        del history[0]
    assert flags == 4


def test_slow_growth_is_never_flagged() -> None:
    history = [20 * CENT] * 20
    for _ in range(500):
        cost = history[-1] * 101 // 100
        assert judge(cost, history[-RUNS_KEPT:], nobody, CENT) is None
        history.append(cost)


@given(COSTS)
def test_the_median_has_as_many_below_as_above(costs: list[int]) -> None:
    median = median_of(costs)
    assert 2 * sum(cost < median for cost in costs) <= len(costs)
    assert 2 * sum(cost > median for cost in costs) <= len(costs)


@given(COSTS, st.integers(1, 1000))
def test_the_deviation_scales_with_the_costs(costs: list[int], factor: int) -> None:
    scaled = [cost * factor for cost in costs]
    plain = deviation_of(costs, median_of(costs))
    assert deviation_of(scaled, median_of(scaled)) == factor * plain


@given(st.integers(CENT, 10**13), st.lists(st.integers(1, 10**13), min_size=8, max_size=60))
def test_what_is_flagged_is_dear_for_this_agent(cost: int, history: list[int]) -> None:
    found = judge(cost, history, nobody, CENT)
    if found is not None:
        assert found.times is not None
        assert found.times >= 3
        assert found.score >= Fraction(7, 2)


def test_histories_are_bounded() -> None:
    histories = Histories()
    for number in range(RUNS_KEPT + 7):
        histories.add(Run(str(number), "a/b", Tier.TOP, number))
    assert histories.of("a/b") == list(range(7, RUNS_KEPT + 7))
    for number in range(AGENTS_KEPT):
        histories.add(Run("x", f"other/{number}", Tier.TOP, 1))
    assert (len(histories), histories.of("a/b")) == (AGENTS_KEPT, [])


def test_peers_are_of_the_same_tier_when_there_are_enough() -> None:
    histories = Histories()
    for agent in range(16):
        tier = Tier.TOP if agent < 8 else Tier.SMALL
        for cost in range(8):
            histories.add(Run("x", f"a/{agent}", tier, 100 * agent + cost))
    assert histories.peers("a/new", Tier.TOP) == [100 * agent + 3 for agent in range(8)]
    assert len(histories.peers("a/0", Tier.TOP)) == 15  # seven of the tier are too few
    assert len(histories.peers("a/new", Tier.MIDDLE)) == 16


def test_tiers_follow_the_price_of_output() -> None:
    dollars = [None, Decimal("0.5"), Decimal(2), Decimal(10), Decimal(15), Decimal(40)]
    assert [tier_of(each) for each in dollars] == [
        Tier.UNKNOWN,
        Tier.SMALL,
        Tier.MIDDLE,
        Tier.MIDDLE,
        Tier.TOP,
        Tier.TOP,
    ]
