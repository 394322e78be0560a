"""Breakers that all replicas share: state in Redis, one script for each decision.

Each replica remembers which breakers are not closed and is told of every change, so that a request
whose breaker is closed costs no trip. Successes are counted here and sent in batches. Without
Redis the replica decides alone, with what it knew; what it found out then is told afterwards.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis

from heliostat_gateway.breakers import (
    CLOSED,
    Admission,
    Breaker,
    BreakerPolicy,
    Breakers,
    BreakersState,
    BreakerState,
    BreakerStatus,
    Limited,
    LocalBreakers,
    Open,
    Probe,
    Result,
    token_of,
)
from heliostat_gateway.redis_state.connection import PREFIX
from heliostat_gateway.redis_state.listening import AWAY, Listener
from heliostat_gateway.redis_state.scripts import read_source
from heliostat_gateway.tasks import end_task
from heliostat_json.objects import count_at, parse_object, text_at

_LOG = logging.getLogger(__name__)
_KEY = f"{PREFIX}breakers"  # the hash of all breakers, and the channel of their changes
_SEND_SECONDS = 1.0
_PINGS = 8  # two seconds: a Redis that is slow for a moment is better than each one alone


@dataclass(frozen=True)
class _NotClosed:
    until: float  # seconds since the epoch, of our own clock
    opened: int
    status: int  # of a stated limit


class SharedBreakers(Breakers):
    """Breakers in Redis; this replica's own ones while it is away."""

    def __init__(
        self,
        redis: Redis,
        policy: BreakerPolicy | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`clock` replaces both our clock and Redis's, for tests."""
        self._policy = policy or BreakerPolicy()
        self._clock = clock or time.time
        self._is_clock_given = clock is not None
        self._redis = redis
        self._read_all = redis.register_script(_script("read"))
        self._admit = redis.register_script(_script("admit"))
        self._record = redis.register_script(_script("record"))
        self._listener = Listener(redis, _KEY, self._read, self._hear, self._lost, _PINGS)
        self._not_closed: dict[str, _NotClosed] = {}
        self._asking: set[str] = set()  # for whose probe someone of this replica asks just now
        self._successes: dict[str, int] = {}  # not yet sent
        self._alone = LocalBreakers(self._policy, self._clock)
        self._sending: asyncio.Task[None] | None = None
        self._away = 0
        self._decisions = 0

    async def start(self) -> None:
        """Begins to listen; returns when the state was read, or Redis was found to be away."""
        await self._listener.start()
        self._sending = asyncio.create_task(self._keep_sending())

    async def close(self) -> None:
        """Stops listening."""
        if self._sending is not None:
            await end_task(self._sending)
        await self._listener.close()

    async def admit(self, key: str) -> Admission:
        """Whether to ask now. Never raises; asks Redis only for a probe."""
        if not self._listener.is_connected:
            self._decisions += 1
            return self._alone.admit_now(key)
        known = self._not_closed.get(key)
        if known is None:
            return CLOSED
        if self._clock() < known.until:
            return Open(known.until, known.status)
        if key in self._asking:  # of all of us here at most that one becomes the probe
            return Open(self._clock() + self._policy.ask_again, known.status)
        self._asking.add(key)
        try:
            return await self._ask_for_probe(key)
        except AWAY:
            self._listener.doubt()
            return await self.admit(key)
        finally:
            self._asking.discard(key)

    async def record(self, key: str, result: Result | Limited, admission: Admission) -> None:
        """How the attempt went. Never raises; a success of a closed breaker is sent later."""
        token = token_of(admission)
        if not self._listener.is_connected:
            self._decisions += 1
            self._alone.record_now(key, result, token)
            return
        if not token and result is Result.UNKNOWN:
            return
        if not token and result is Result.OK:
            if key not in self._not_closed:
                self._successes[key] = self._successes.get(key, 0) + 1
            return
        try:
            await self._send(key, result, token)
        except AWAY:
            self._listener.doubt()
            await self.record(key, result, admission)

    def states(self) -> list[BreakerStatus]:
        """All breakers that are not closed, as this replica knows them."""
        if not self._listener.is_connected:
            return self._alone.states()
        now = self._clock()
        return [
            BreakerStatus(
                key,
                BreakerState.OPEN if now < each.until else BreakerState.HALF_OPEN,
                each.until,
                each.opened,
                each.status,
            )
            for key, each in sorted(self._not_closed.items())
        ]

    def state(self) -> BreakersState:
        """Whether they are shared now."""
        mode = "shared" if self._listener.is_connected else "away"
        return BreakersState(mode, self._away, self._decisions)

    async def _ask_for_probe(self, key: str) -> Admission:
        token = uuid4().hex
        policy = self._policy
        reply: object = await self._admit(
            keys=[_KEY],
            args=[self._now(), key, token, _ms(policy.probe), _ms(policy.ask_again)],
        )
        match reply:
            case [b"probe", _]:
                return Probe(token)
            case [b"open", int(left), int(status)]:
                return Open(self._clock() + left / 1000, status)
            case _:
                self._not_closed.pop(key, None)
                return CLOSED

    async def _send(self, key: str, result: Result | Limited, token: str) -> None:
        successes = self._successes.pop(key, 0) + (result is Result.OK)
        reply: object = await self._record(
            keys=[_KEY], args=self._arguments(key, result, token, successes)
        )
        if isinstance(reply, bytes):
            self._hear(reply)

    def _arguments(
        self, key: str, result: Result | Limited, token: str, successes: int
    ) -> list[str | int | float]:
        policy = self._policy
        left, status = 0.0, 0
        if isinstance(result, Limited):
            left, status = result.until - self._clock(), result.status
            result = Result.FAILED  # a limit that is over already says no more than that
        name = "limited" if left > 0 else result.value
        failures = int(name == Result.FAILED.value)
        return [
            *(self._now(), key, token, name, _ms(left), successes, failures),
            *(_ms(policy.part), policy.minimum, policy.failures),
            *(_ms(policy.first_wait), _ms(policy.longest_wait), status),
        ]

    def _now(self) -> str:
        return str(_ms(self._clock())) if self._is_clock_given else ""

    async def _keep_sending(self) -> None:
        while True:
            await asyncio.sleep(_SEND_SECONDS)
            if self._listener.is_connected:
                try:
                    await self.send_successes()
                except AWAY:
                    self._listener.doubt()

    async def send_successes(self) -> None:
        """Tells Redis of the successes since the last time. Raises one of AWAY."""
        counted, self._successes = self._successes, {}
        if not counted:
            return
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key, successes in counted.items():
                await self._record(
                    keys=[_KEY],
                    args=self._arguments(key, Result.OK, "", successes),
                    client=pipeline,
                )
            await pipeline.execute()

    def _lost(self) -> None:
        self._away += 1
        self._alone = LocalBreakers(self._policy, self._clock)
        for key, each in self._not_closed.items():
            known = Breaker(until=each.until, opened=each.opened, status=each.status)
            self._alone.put(key, known)

    async def _read(self) -> None:
        for found in self._alone.states():
            if found.until is not None and found.until > self._clock():
                await self._send(found.key, Limited(found.until, found.status), "")
        self._not_closed.clear()
        reply: object = await self._read_all(keys=[_KEY], args=[self._now()])
        for each in reply if isinstance(reply, list) else []:
            if isinstance(each, bytes):
                self._hear(each)

    def _hear(self, message: bytes) -> None:
        told = parse_object(message)
        key = text_at(told, "key") if told is not None else ""
        if told is None or not key:
            _LOG.error("a message about breakers can't be read")
            return
        left = told.get("left")
        if not isinstance(left, int | float):  # closed
            self._not_closed.pop(key, None)
            return
        opened, status = count_at(told, "opened"), count_at(told, "status")
        self._not_closed[key] = _NotClosed(self._clock() + left / 1000, opened, status)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _script(decision: str) -> str:
    return f"{read_source('breaker_common')}\n{read_source(f'breaker_{decision}')}"
