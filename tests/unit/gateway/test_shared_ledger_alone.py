"""What a gateway knows of the shared ledger when Redis goes, and what it takes back then."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heliostat_gateway.access.callers import Caps
from heliostat_gateway.money.bookings import CapReachedError, LedgerMode, SharedLedgerAwayError
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.ledger import SharedLedger
from support.ledgers import opening, run
from support.played_redis import PlayedRedis, played_redis

EPOCH, GATEWAYS = "epoch", 2
BEAT: Sequence[str | int] = [EPOCH, GATEWAYS]
GONE = None


@asynccontextmanager
async def ledger_of(redis: PlayedRedis, folder: Path) -> AsyncIterator[SharedLedger]:
    client = open_redis(redis.url)
    ledger = SharedLedger(client, folder)
    await ledger.start()
    yield ledger
    await ledger.close()
    await client.aclose()


def opened(nanos: int, tokens: int, before: tuple[int, int, int]) -> Sequence[str | int]:
    """What open.lua says of a reservation on one sum: what was reserved, and what was there."""
    return ["ok", EPOCH, nanos, tokens, -1, *before]


@pytest.mark.parametrize(
    ("caps", "what", "share"),
    [
        (Caps(cost_nanos=1000), "cost", 700),
        (Caps(tokens=100), "tokens", 70),
        (Caps(turns=10), "turns", 7),
    ],
)
async def test_a_share_is_of_what_redis_left_after_the_last_reservation(
    tmp_path: Path, caps: Caps, what: str, share: int
) -> None:
    """300 of 1000 were used and 100 reserved: of the 600 that are left, one of two may use 300."""
    async with (
        played_redis(tmp_path, {"beat": BEAT, "open": opened(100, 10, (300, 30, 3))}) as redis,
        ledger_of(redis, tmp_path / "spool") as ledger,
    ):
        await ledger.open(opening("shared", run("uid", caps)))
        assert ledger.state().mode is LedgerMode.SHARED
        redis.answers["open"] = redis.answers["beat"] = GONE
        for name in ("a", "b", "c"):
            await ledger.open(opening(name, run("uid", caps), cost=100, size=10))
        assert ledger.state().mode is LedgerMode.LOCAL
        with pytest.raises(CapReachedError) as caught:
            await ledger.open(opening("d", run("uid", caps)))
    assert (caught.value.what, caught.value.cap, caught.value.spent) == (what, share, share)


@pytest.mark.parametrize(
    ("caps", "refusal"),
    [
        (Caps(strict=True), SharedLedgerAwayError),
        (Caps(turns=0), CapReachedError),
    ],
)
async def test_what_redis_may_have_reserved_for_a_refused_call_is_taken_back(
    tmp_path: Path, caps: Caps, refusal: type[Exception]
) -> None:
    async with played_redis(tmp_path, {"beat": BEAT, "open": GONE, "drop": ["ok"]}) as redis:
        async with ledger_of(redis, tmp_path / "spool") as ledger:
            with pytest.raises(refusal):
                await ledger.open(opening("unsure", run("uid", caps)))
            with pytest.raises(refusal):
                await ledger.open(opening("never-sent", run("uid", caps)))
        assert [each for each in redis.asked if each[0] == "drop"] == [("drop", "unsure")]
