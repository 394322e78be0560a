"""Requests in the shared ledger: those open here, what scripts are told of them, a look-up."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson
from pydantic import TypeAdapter
from redis.exceptions import RedisError

from heliostat_gateway.access.callers import KeyKind
from heliostat_gateway.money.bookings import (
    AttemptTotal,
    Booking,
    ExecutionTotal,
    Head,
    LedgerRow,
    Opening,
    Usage,
    first_booking,
    nanos_of,
    sum_usages,
    tokens_of,
    turns_of,
)
from heliostat_gateway.money.reservations import Counted
from heliostat_gateway.redis_state.connection import Argument, RedisAwayError, text_of
from heliostat_gateway.redis_state.filling import Filling
from heliostat_gateway.redis_state.scripts import MONEY, Commands
from heliostat_gateway.storage import StorageError


@dataclass
class OpenRequest:
    """`epoch` is that of the shared ledger that knows the opening; empty when only we know it."""

    opening: Opening
    head: Head
    counted: tuple[Counted, ...]
    epoch: str
    parts: dict[int, Booking] = field(default_factory=dict)
    # Whoever settles it, or makes it known to Redis, does so alone.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def bookings(self) -> list[Booking]:
        """All parts as they are, the one that is written ahead included."""
        parts = self.parts
        if 1 not in parts:
            parts = {1: first_booking(self.opening)} | parts
        return [parts[part] for part in sorted(parts)]

    def take(self, bookings: Sequence[Booking]) -> list[Booking]:
        """All parts, with these brought up to date."""
        self.parts.update({booking.part: booking for booking in bookings})
        return self.bookings

    def end(self, bookings: Sequence[Booking]) -> list[Booking]:
        """The parts in the end: one that was noted and is not among them has proved free."""
        self.parts.clear()
        return self.take(bookings)


class OpenRequests:
    """Keeps the open requests of this process by id."""

    def __init__(self) -> None:
        self._requests: dict[str, OpenRequest] = {}

    def __contains__(self, request: str) -> bool:
        return request in self._requests

    def get(self, request: str) -> OpenRequest | None:
        """The request with this id, if it is open here."""
        return self._requests.get(request)

    def add(self, request: OpenRequest) -> None:
        """Takes in a request that was opened."""
        self._requests[request.head.id] = request

    def remove(self, request: str) -> None:
        """Forgets one that is settled."""
        self._requests.pop(request, None)

    def unknown_to(self, epoch: str) -> list[OpenRequest]:
        """Those that the shared ledger of this epoch has no reservation for."""
        return [request for request in self._requests.values() if request.epoch != epoch]

    def of(self, bookings: Iterable[Booking]) -> list[tuple[OpenRequest, list[Booking]]]:
        """Bookings by request, each brought together with its earlier parts.

        Those of requests that are not open are left out.
        """
        return [(request, request.take(parts)) for request, parts in self._open(bookings)]

    def ending(self, bookings: Iterable[Booking]) -> list[tuple[OpenRequest, list[Booking]]]:
        """Bookings by request, as the last word on it; the same requests are left out."""
        return [(request, request.end(parts)) for request, parts in self._open(bookings)]

    def _open(self, bookings: Iterable[Booking]) -> list[tuple[OpenRequest, list[Booking]]]:
        found: dict[str, list[Booking]] = {}
        for booking in bookings:
            if booking.id in self._requests:
                found.setdefault(booking.id, []).append(booking)
        return [(self._requests[name], parts) for name, parts in found.items()]


# After so long without use a sum leaves Redis; the writer brings it back when it is asked for.
LIFE_SECONDS: Final = 40 * 24 * 3600
# The order of figures in the scripts: nano-dollars, tokens, turns, requests, tokens by kind
# (input, output, cache read, writes of 5 minutes and 1 hour, searches, thinking), estimated.
KINDS: Final = ("n", "k", "u", "c", "i", "o", "r", "w", "h", "s", "t", "e")
HEADS: Final = TypeAdapter(Head)
BOOKINGS: Final = TypeAdapter(list[Booking])


def figures_of(bookings: Sequence[Booking], requests: int = 1) -> list[int]:
    """What a settled request adds to its sums, in the order of KINDS."""
    parts = list(bookings)
    usage = sum_usages([part.usage for part in parts])
    return [
        nanos_of(parts),
        tokens_of(parts),
        turns_of(parts),
        requests,
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.web_searches,
        usage.thinking,
        int(any(part.estimated for part in parts)),
    ]


def open_arguments(
    opening: Opening,
    head: Head,
    counted: Sequence[Counted],
    *,
    gateway: str,
    budgets: str,
    bookings: Sequence[Booking] = (),
    force: bool = False,
) -> list[Argument]:
    """The arguments of open.lua. `bookings`: what it has used so far, if it began elsewhere."""
    estimate, caller = opening.estimate, opening.caller
    bound = estimate.bound
    limits = (
        [0, 0, 0, 0, 1]
        if bound is None
        else [
            bound.input_tokens,
            bound.input_nanos,
            bound.max_tokens,
            bound.output_rate,
            bound.choices,
        ]
    )
    # An execution's first attempt makes its sum; any other that is missing was there before.
    new = caller.kind is KeyKind.EXECUTION and caller.attempt == 1
    arguments: list[Argument] = [
        opening.id,
        gateway,
        int(caller.caps.strict),
        estimate.cost_nanos,
        estimate.usage.total,
        estimate.output_nanos,
        estimate.usage.output,
        *limits,
        orjson.dumps(head),
        orjson.dumps(list(bookings) or [first_booking(opening)]),
        caller.execution,
        caller.agent,
        int(new),
        budgets,
        opening.provider,
        opening.model,
        int(force),
        LIFE_SECONDS,
    ]
    for one in counted:
        caps = (one.nanos, one.tokens, one.turns)
        arguments += [one.key, *("" if cap is None else cap for cap in caps)]
    return arguments


def settle_arguments(
    how: str, epoch: str, ended_ms: int, head: Head, bookings: Sequence[Booking]
) -> list[Argument]:
    """The arguments of settle.lua."""
    last = bookings[-1]
    return [
        head.id,
        how,
        epoch,
        ended_ms,
        orjson.dumps(head),
        orjson.dumps(list(bookings)),
        head.execution,
        head.attempt,
        head.agent,
        last.provider,
        last.model,
        LIFE_SECONDS,
        "\n".join(head.counted),
        *figures_of(bookings),
    ]


def execution_total(fields: Sequence[str], opened: Sequence[str]) -> ExecutionTotal:
    """An execution from read.lua: settled sums, and head and bookings of each open request."""
    values = dict(zip(fields[::2], fields[1::2], strict=True))
    figures = [int(values.get(kind, 0)) for kind in KINDS]
    attempts = _attempts(values)
    for head_text, text in zip(opened[::2], opened[1::2], strict=True):
        head, parts = HEADS.validate_json(head_text), BOOKINGS.validate_json(text)
        extra = figures_of([_exact(part) for part in parts])
        figures = [one + more for one, more in zip(figures, extra, strict=True)]
        nanos, requests = attempts.get(head.attempt, (0, 0))
        attempts[head.attempt] = (nanos + extra[0], requests + 1)
    names = dict(zip(KINDS, figures, strict=True))
    return ExecutionTotal(
        cost_nanos=names["n"],
        requests=names["c"],
        settled=not opened,
        estimated=names["e"] > 0,
        usage=Usage(
            input=names["i"],
            output=names["o"],
            cache_read=names["r"],
            cache_write_5m=names["w"],
            cache_write_1h=names["h"],
            web_searches=names["s"],
            thinking=names["t"],
        ),
        provider=values.get("p") or None,
        model=values.get("m") or None,
        attempts=tuple(
            AttemptTotal(attempt, *attempts[attempt])
            for attempt in sorted(attempts)
            if attempts[attempt][1]
        ),
    )


def _attempts(values: Mapping[str, str]) -> dict[int, tuple[int, int]]:
    """Nano-dollars and requests by attempt, from fields `a1:n` and `a1:c`."""
    numbers = {int(name[1:-2]) for name in values if name.endswith(":c")}
    return {
        number: (int(values.get(f"a{number}:n", 0)), int(values[f"a{number}:c"]))
        for number in numbers
    }


def _exact(part: Booking) -> Booking:
    """An open part is no estimate yet."""
    return Booking(**(vars(part) | {"estimated": False}))


ROWS: Final = TypeAdapter(list[LedgerRow])
ROWS_SECONDS: Final = 60  # how long the writer's answer stays for those who ask again
_WAITS: Final = (0.0, 0.02, 0.05, 0.1, 0.2)


def rows_key(request: str) -> str:
    """The key under which the writer puts the rows of a request."""
    return f"{MONEY}rows:{request}"


def open_rows(head: Head, bookings: list[Booking]) -> list[LedgerRow]:
    """The rows of a request that is not settled."""
    return [LedgerRow(head.key, head.started_ms, None, booking) for booking in bookings]


async def find_request(redis: Commands, filling: Filling, request: str) -> list[LedgerRow]:
    """The rows of a request; none when it was never opened. Raises StorageError when unknown."""
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
