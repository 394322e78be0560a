"""A gateway process as far as money goes: opens calls at once, says how many, settles when told."""

import asyncio
import sys
from pathlib import Path

from heliostat_gateway.access.callers import Caps
from heliostat_gateway.money.bookings import CapReachedError
from heliostat_gateway.redis_state.connection import open_redis
from heliostat_gateway.redis_state.ledger import SharedLedger
from support.ledgers import booking, opening, run

CALL_NANOS = 100
CAP_NANOS = 5000  # of 50 calls


async def work(url: str, folder: str, name: str, count: int) -> None:
    redis = open_redis(url)
    ledger = SharedLedger(redis, Path(folder))
    await ledger.start()
    caller = run("uid", Caps(cost_nanos=CAP_NANOS))
    results = await asyncio.gather(
        *(ledger.open(opening(f"{name}-{n}", caller, CALL_NANOS)) for n in range(count)),
        return_exceptions=True,
    )
    opened = [f"{name}-{n}" for n, found in enumerate(results) if not isinstance(found, Exception)]
    refused = sum(isinstance(found, CapReachedError) for found in results)
    print(ledger.gateway, len(opened), refused, flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.readline)
    await ledger.settle([booking(request, CALL_NANOS) for request in opened], 5)
    await ledger.close()
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
