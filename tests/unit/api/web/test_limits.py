"""Limits: a minute's requests at once, then as many as the minute gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.web.limits import LocalBuckets, admit, network_of, retry_after


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_full_bucket_gives_a_minutes_requests_at_once() -> None:
    clock = Clock()
    buckets = LocalBuckets(clock)
    waits = [await buckets.take("ann", 60) for _ in range(61)]
    assert waits[:60] == [0.0] * 60
    assert waits[60] == pytest.approx(1)
    assert await buckets.take("bob", 60) == 0
    clock.now += 1
    assert await buckets.take("ann", 60) == 0
    assert await buckets.take("ann", 60) == pytest.approx(1)


@given(st.integers(1, 200), st.lists(st.floats(0, 30), max_size=300))
def test_no_minute_admits_more_than_twice_the_limit(a_minute: int, pauses: list[float]) -> None:
    """A full bucket and what comes in again; over a longer time never more than the limit."""
    now, full_at = 1000.0, 0.0
    admitted: list[float] = []
    for pause in pauses:
        now += pause
        full_at, wait = admit(a_minute, full_at, now)
        if not wait:
            admitted.append(now)
    for begin in admitted:
        assert sum(begin <= each < begin + 60 for each in admitted) <= 2 * a_minute
    if admitted:
        minutes = 1 + (admitted[-1] - admitted[0]) / 60
        assert len(admitted) <= a_minute * minutes + 1


@given(st.integers(1, 200), st.floats(0, 100))
def test_who_waits_as_long_as_told_is_admitted(a_minute: int, now: float) -> None:
    full_at, wait = admit(a_minute, now + 60, now)
    assert wait > 0
    assert admit(a_minute, full_at, now + retry_after(wait))[1] == 0


async def test_full_buckets_are_forgotten() -> None:
    clock = Clock()
    buckets = LocalBuckets(clock, sweep_size=10)
    for number in range(100):
        clock.now += 10
        await buckets.take(str(number), 60)
    assert len(buckets) <= 11


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_customer_is_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_retry_after_is_whole_seconds_and_never_none() -> None:
    assert [retry_after(wait) for wait in (0.001, 1, 1.2)] == [1, 1, 2]
