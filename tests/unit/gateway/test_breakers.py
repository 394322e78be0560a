"""When a breaker opens, for how long, and who is let through to find out."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from heliostat_gateway.breakers import (
    CLOSED,
    Admission,
    BreakerPolicy,
    BreakerState,
    Closed,
    Limited,
    LocalBreakers,
    Open,
    Probe,
    Result,
)

POLICY = BreakerPolicy(
    window=30, minimum=4, failures=0.5, first_wait=5, longest_wait=60, probe=20, ask_again=1
)
KEY = "anthropic/opus/main"


class Clock:
    """Time that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> LocalBreakers:
    return LocalBreakers(POLICY, clock)


async def fail(breakers: LocalBreakers, times: int) -> None:
    for _ in range(times):
        await breakers.record(KEY, Result.FAILED, CLOSED)


async def test_opens_with_the_fewest_failures_that_conclude_something(
    breakers: LocalBreakers, clock: Clock
) -> None:
    await fail(breakers, 3)
    assert await breakers.admit(KEY) == CLOSED
    await fail(breakers, 1)
    assert await breakers.admit(KEY) == Open(clock.now + 5)
    assert [(s.key, s.state) for s in breakers.states()] == [(KEY, BreakerState.OPEN)]


async def test_a_rate_below_the_limit_keeps_it_closed(breakers: LocalBreakers) -> None:
    for _ in range(6):
        await breakers.record(KEY, Result.OK, CLOSED)
    await fail(breakers, 5)
    assert await breakers.admit(KEY) == CLOSED
    await fail(breakers, 1)
    assert isinstance(await breakers.admit(KEY), Open)


async def test_old_failures_are_forgotten(breakers: LocalBreakers, clock: Clock) -> None:
    await fail(breakers, 3)
    clock.now += 31
    await fail(breakers, 1)
    assert await breakers.admit(KEY) == CLOSED


async def test_one_probe_and_a_longer_wait_when_it_fails(
    breakers: LocalBreakers, clock: Clock
) -> None:
    await fail(breakers, 4)
    clock.now += 5
    probe = await breakers.admit(KEY)
    assert isinstance(probe, Probe)
    assert await breakers.admit(KEY) == Open(clock.now + 1)
    await breakers.record(KEY, Result.FAILED, probe)
    assert await breakers.admit(KEY) == Open(clock.now + 10)
    assert breakers.states()[0].opened == 2


async def test_a_good_probe_closes_it_and_forgets(breakers: LocalBreakers, clock: Clock) -> None:
    await fail(breakers, 4)
    clock.now += 5
    await breakers.record(KEY, Result.OK, await breakers.admit(KEY))
    assert await breakers.admit(KEY) == CLOSED
    assert breakers.states() == []
    await fail(breakers, 4)
    assert await breakers.admit(KEY) == Open(clock.now + 5)


async def test_late_results_of_others_do_not_decide_for_the_probe(
    breakers: LocalBreakers, clock: Clock
) -> None:
    await fail(breakers, 4)
    await breakers.record(KEY, Result.OK, CLOSED)
    assert isinstance(await breakers.admit(KEY), Open)
    clock.now += 5
    await breakers.admit(KEY)
    await breakers.record(KEY, Result.OK, CLOSED)
    assert isinstance(await breakers.admit(KEY), Open)


async def test_a_probe_that_learned_nothing_gives_its_place_back(
    breakers: LocalBreakers, clock: Clock
) -> None:
    await fail(breakers, 4)
    clock.now += 5
    await breakers.record(KEY, Result.UNKNOWN, await breakers.admit(KEY))
    assert isinstance(await breakers.admit(KEY), Probe)


async def test_a_lost_probe_is_given_up(breakers: LocalBreakers, clock: Clock) -> None:
    await fail(breakers, 4)
    clock.now += 5
    await breakers.admit(KEY)
    clock.now += 20
    assert isinstance(await breakers.admit(KEY), Probe)


async def test_a_stated_limit_is_believed_however_long(
    breakers: LocalBreakers, clock: Clock
) -> None:
    week = clock.now + 7 * 86400
    await breakers.record(KEY, Limited(week), CLOSED)
    assert await breakers.admit(KEY) == Open(week)
    await breakers.record(KEY, Limited(clock.now + 1), CLOSED)  # late news does not shorten it
    assert await breakers.admit(KEY) == Open(week)


async def test_a_limit_stated_while_the_probe_is_under_way_outlasts_its_failure(
    breakers: LocalBreakers, clock: Clock
) -> None:
    await breakers.record(KEY, Limited(clock.now + 1), CLOSED)
    clock.now += 1
    probe = await breakers.admit(KEY)
    await breakers.record(KEY, Limited(clock.now + 100), CLOSED)  # of an older attempt
    await breakers.record(KEY, Result.FAILED, probe)
    assert await breakers.admit(KEY) == Open(clock.now + 100)


async def test_a_limit_that_is_over_counts_as_a_failure(
    breakers: LocalBreakers, clock: Clock
) -> None:
    for _ in range(4):
        assert await breakers.admit(KEY) == CLOSED
        await breakers.record(KEY, Limited(clock.now), CLOSED)
    assert await breakers.admit(KEY) == Open(clock.now + 5)


RESULTS = st.one_of(st.sampled_from(Result), st.floats(min_value=-5, max_value=1000))


class BreakerMachine(RuleBasedStateMachine):
    """Any order of attempts, results and time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breakers = LocalBreakers(POLICY, self.clock)
        self.admitted: list[Closed | Probe] = []
        self.probe: tuple[Probe, float] | None = None
        self.believed = 0.0  # no attempt before

    def is_open(self) -> bool:
        return bool(self.breakers.states())

    @rule(seconds=st.floats(min_value=0, max_value=40))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def ask(self) -> None:
        before = self.breakers.states()
        admission: Admission = self.breakers.admit_now(KEY)
        if isinstance(admission, Open):
            assert admission.until > self.clock.now
            return
        assert self.clock.now >= self.believed
        assert isinstance(admission, Closed) == (not before)
        if isinstance(admission, Probe):
            assert self.probe is None or self.probe[1] <= self.clock.now, "two probes at once"
            self.probe = (admission, self.clock.now + POLICY.probe)
        self.admitted.append(admission)

    @precondition(lambda self: self.admitted)
    @rule(data=st.data(), result=RESULTS)
    def hear(self, data: st.DataObject, result: Result | float) -> None:
        admission = self.admitted.pop(data.draw(st.integers(0, len(self.admitted) - 1)))
        told = Limited(self.clock.now + result) if isinstance(result, float) else result
        is_probe = self.probe is not None and admission is self.probe[0]
        was_open = self.is_open()
        token = admission.token if isinstance(admission, Probe) else ""
        self.breakers.record_now(KEY, told, token)
        if isinstance(told, Limited) and told.until > self.clock.now:
            self.believed = max(self.believed, told.until)
            assert self.is_open()
        if was_open and not self.is_open():
            assert is_probe
            assert told is Result.OK
            self.believed = 0.0
        if is_probe:
            self.probe = None

    @invariant()
    def the_wait_is_bounded_unless_it_was_stated(self) -> None:
        for status in self.breakers.states():
            assert status.until is not None
            longest = max(self.clock.now + POLICY.longest_wait, self.believed)
            assert status.until <= longest


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=40, deadline=None)
