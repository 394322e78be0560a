"""What a spool says once Redis is back: which requests are settled, and how."""

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
class _Story:
    """The lines of one request."""

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
        for request, story in _stories(lines).items():
            if story.dropped:
                drops.append(request)
            elif story.settlement is not None:
                settlements.append(story.settlement)
            elif dead and story.head is not None:
                settlements.append(Settlement(story.head, _died(story.bookings), now_ms))
    return Replay(tuple(settlements), tuple(drops))


def _stories(lines: Sequence[Line]) -> dict[str, _Story]:
    stories: dict[str, _Story] = {}
    for line in lines:
        story = stories.setdefault(line.id, _Story())
        if line.kind is LineKind.DROP:
            story.dropped = True
        elif line.kind is LineKind.SETTLE and line.head is not None:
            found = Settlement(line.head, line.bookings, line.ended_ms, line.epoch)
            story.settlement = story.settlement or found
        else:
            story.head = line.head or story.head
            story.bookings = line.bookings
    return stories


def _died(bookings: Sequence[Booking]) -> tuple[Booking, ...]:
    return tuple(replace(part, outcome=DIED, estimated=True) for part in bookings)
