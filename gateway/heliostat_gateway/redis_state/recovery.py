"""The heartbeat of a gateway: it renews its lease, and replays what it did while Redis was away."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from heliostat_gateway.money.bookings import Booking, Head
from heliostat_gateway.money.rows import DIED
from heliostat_gateway.redis_state.connection import RedisAwayError, RedisHealth
from heliostat_gateway.redis_state.filling import UNFILLED, Filling, WriterAwayError
from heliostat_gateway.redis_state.offline_quota import OfflineQuota
from heliostat_gateway.redis_state.requests import (
    OpenRequest,
    OpenRequests,
    open_arguments,
    settle_arguments,
)
from heliostat_gateway.redis_state.scripts import Reply, Scripts
from heliostat_gateway.redis_state.spool import Line, LineKind, Spool
from heliostat_gateway.storage import StorageError

_LOG = logging.getLogger(__name__)
BEAT_SECONDS: Final = 1.0
LEASE_SECONDS: Final = 15.0
_AT_ONCE: Final = 32
_SWEEP_BEATS: Final = 15


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


class Recovery:
    """Renews the lease and replays offline work. Only one `heartbeat` runs at a time."""

    def __init__(
        self,
        gateway: str,
        scripts: Scripts,
        filling: Filling,
        spool: Spool,
        quota: OfflineQuota,
        requests: OpenRequests,
        health: RedisHealth,
    ) -> None:
        self._gateway = gateway
        self._scripts = scripts
        self._filling = filling
        self._spool = spool
        self._quota = quota
        self._requests = requests
        self._health = health
        self._beats = 0
        self._orphans: set[str] = set()

    async def keep_beating(self) -> None:
        """Sends a heartbeat every second, until cancelled."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self.heartbeat()
            except StorageError as error:
                _LOG.error("the spool can't be replayed: %s", error)
            except Exception:  # noqa: BLE001  without the beat this gateway counts as dead
                _LOG.exception("a beat failed")

    async def heartbeat(self) -> None:
        """Renews the lease; replays and adopts what the shared ledger does not know yet.

        Raises StorageError when the spool can't be read.
        """
        try:
            was_home = self._is_home()
            reply = await self._say(home=was_home)
            epoch = reply.text(0)
            if not epoch:
                raise RedisAwayError(UNFILLED)
            self._health.gateways = max(1, reply.number(1))
            await self._replay_offline(epoch)
            if self._is_home() and not was_home:
                await self._say(home=True)
            await self._sweep()
        except RedisAwayError as error:
            self._health.lose(error)

    async def leave(self) -> None:
        """Says that this gateway ends, unless something of it is not in the shared ledger."""
        if self._is_home():
            with contextlib.suppress(RedisAwayError):  # then its lease runs out
                await self._scripts.run("forget", self._gateway, 1)

    def _is_home(self) -> bool:
        """Whether the shared ledger knows all that was done here."""
        health = self._health
        return health.is_up and self._spool.is_empty and not self._requests.unknown_to(health.epoch)

    async def _say(self, *, home: bool) -> Reply:
        lease = int(LEASE_SECONDS * 1000)
        return await self._scripts.run("beat", self._gateway, lease, int(home))

    async def _replay_offline(self, epoch: str) -> None:
        stuck = await self._adopt_all(epoch)
        while not (self._spool.is_empty or stuck):
            own, left = await self._spool.read()
            replay = decide_replay(own, left, int(time.time() * 1000))
            await _all(self._settle(one) for one in replay.settlements)
            await _all(self._scripts.run("drop", request) for request in replay.drops)
            # Lines of what is still open are only forgotten when Redis knows it.
            stuck = await self._adopt_all(epoch)
            if not stuck:
                for gateway in self._spool.forget():
                    await self._scripts.run("forget", gateway, 1)
        # No await since the last look: nothing is left behind.
        if not self._requests.unknown_to(epoch):
            self._quota.clear()
        self._health.find(epoch)

    async def _adopt_all(self, epoch: str) -> bool:
        """Whether a request stays unknown to Redis because the writer does not answer."""
        tried: dict[str, bool] = {}

        async def adopt(request: OpenRequest) -> None:
            tried[request.head.id] = await self._adopt(request, epoch)

        while orphans := [
            one for one in self._requests.unknown_to(epoch) if one.head.id not in tried
        ]:
            await _all(adopt(request) for request in orphans)
        return not all(tried.values())

    async def _adopt(self, request: OpenRequest, epoch: str) -> bool:
        """Gives an open request its reservation, without checks: it is under way."""
        async with request.lock:
            if request.head.id not in self._requests or request.epoch == epoch:
                return True
            reply = await self._force_open(request)
            if reply.word == "missing":
                names = [f"sum:{reply.text(index)}" for index in range(1, len(reply))]
                try:
                    await self._filling.ask(names)
                except WriterAwayError:
                    return False
                reply = await self._force_open(request)
            if reply.word != "ok":
                raise RedisAwayError(f"A request could not be adopted: {reply.word}.")
            request.epoch = reply.text(1)
            return True

    async def _force_open(self, request: OpenRequest) -> Reply:
        arguments = open_arguments(
            request.opening,
            request.head,
            request.counted,
            gateway=self._gateway,
            budgets="",
            bookings=request.bookings,
            force=True,
        )
        return await self._scripts.run("open", *arguments)

    async def _settle(self, one: Settlement) -> None:
        arguments = settle_arguments(one.how, one.epoch, one.ended_ms, one.head, one.bookings)
        reply = await self._scripts.run("settle", *arguments)
        if reply.word == "unfilled":
            raise RedisAwayError(UNFILLED)

    async def _sweep(self) -> None:
        """Drops reservations of ours that we know nothing of, seen twice, a while apart.

        They come from openings that were given up while Redis did not answer.
        """
        self._beats += 1
        if self._beats % _SWEEP_BEATS:
            return
        reply = await self._scripts.run("mine", self._gateway)
        found = {name for name in reply.list(1) if name not in self._requests}
        for name in found & self._orphans:
            await self._scripts.run("drop", name)
        self._orphans = found


async def _all(work: Iterable[Coroutine[object, object, object]]) -> None:
    """Runs all, some at a time. Raises RedisAwayError after all have ended when one failed."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def run(one: Coroutine[object, object, object]) -> None:
        async with places:
            await one

    results = await asyncio.gather(*(run(one) for one in work), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
