"""One request by its id: open anywhere, or a row that the writer has."""

import asyncio
from typing import Final

from pydantic import TypeAdapter
from redis.exceptions import RedisError

from heliostat_gateway.money.bookings import Booking, Head, LedgerRow
from heliostat_gateway.redis_state.connection import text_of
from heliostat_gateway.redis_state.filling import Filling
from heliostat_gateway.redis_state.pipe import RedisAwayError
from heliostat_gateway.redis_state.records import BOOKINGS, HEADS
from heliostat_gateway.redis_state.scripts import MONEY, Commands
from heliostat_gateway.storage import StorageError

ROWS: Final = TypeAdapter(list[LedgerRow])
ROWS_SECONDS: Final = 60  # how long the writer's answer stays for those who ask again
_WAITS: Final = (0.0, 0.02, 0.05, 0.1, 0.2)


def rows_key(request: str) -> str:
    """Where the writer puts the rows of a request that somebody asks for."""
    return f"{MONEY}rows:{request}"


def open_rows(head: Head, bookings: list[Booking]) -> list[LedgerRow]:
    """The rows of a request that is not settled."""
    return [LedgerRow(head.key, head.started_ms, None, booking) for booking in bookings]


async def find_request(redis: Commands, filling: Filling, request: str) -> list[LedgerRow]:
    """Its rows; none of one that was never opened. Raises StorageError when nobody knows."""
    try:
        found = await redis.execute_command("HMGET", f"{MONEY}request:{request}", "head", "b")
        if isinstance(found, list) and all(isinstance(each, (bytes, str)) for each in found):
            head, bookings = (text_of(each) for each in found)
            return open_rows(HEADS.validate_json(head), BOOKINGS.validate_json(bookings))
        answer = await redis.execute_command("GET", rows_key(request))
        for wait in _WAITS:
            if answer is not None:
                break
            await asyncio.sleep(wait)  # what was settled just now is on its way to the rows
            await filling.ask([f"rows:{request}"])
            answer = await redis.execute_command("GET", rows_key(request))
    except (RedisAwayError, RedisError, OSError) as error:
        raise StorageError(f"The shared ledger can't be read: {error}") from error
    return ROWS.validate_json(answer) if isinstance(answer, (bytes, str)) else []
