"""Decides from a spool, once Redis is back, which requests are settled and how."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from heliostat_gateway.money.bookings import Booking, Head
from heliostat_gateway.money.rows import DIED
from heliostat_gateway.redis_state.spool import Line, LineKind


@dataclass(frozen=True)
class Settlement:
    """A request to settle. `epoch` is that of the ledger that knows its opening; empty for none."""

    head: Head
    bookings: tuple[Booking, ...]
    ended_ms: int
    epoch: str = ""

    @property
    def how(self) -> str:
        """The word for settle.lua."""
        return "shared" if self.epoch else "local"


@dataclass(frozen=True)
class Replay:
    """Everything that a spool asks for."""

    settlements: tuple[Settlement, ...]
    drops: tuple[str, ...]


@dataclass
class RequestLog:
    """The lines of a spool about one request."""

    head: Head | None = None
    bookings: tuple[Booking, ...] = ()
    settlement: Settlement | None = None
    dropped: bool = field(default=False)


def decide_replay(own: Sequence[Line], left: Sequence[Line], now_ms: int) -> Replay:
    """What to do with the lines of this process and with those that dead ones left.

    An opening of a dead process that was never settled is booked as it was noted last. One of this
    process is still open, or has been settled without the spool.
    """
    settlements, drops = [], []
    for lines, dead in ((left, True), (own, False)):
        for request, log in _logs(lines).items():
            if log.dropped:
                drops.append(request)
            elif log.settlement is not None:
                settlements.append(log.settlement)
            elif dead and log.head is not None:
                settlements.append(Settlement(log.head, _died(log.bookings), now_ms))
    return Replay(tuple(settlements), tuple(drops))


def _logs(lines: Sequence[Line]) -> dict[str, RequestLog]:
    logs: dict[str, RequestLog] = {}
    for line in lines:
        log = logs.setdefault(line.id, RequestLog())
        if line.kind is LineKind.DROP:
            log.dropped = True
        elif line.kind is LineKind.SETTLE and line.head is not None:
            found = Settlement(line.head, line.bookings, line.ended_ms, line.epoch)
            log.settlement = log.settlement or found
        else:
            log.head = line.head or log.head
            log.bookings = line.bookings
    return logs


def _died(bookings: Sequence[Booking]) -> tuple[Booking, ...]:
    return tuple(replace(part, outcome=DIED, estimated=True) for part in bookings)
