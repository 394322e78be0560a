"""Revocations that all replicas know: a sorted set in Redis, and a channel that says each.

Every replica also keeps them on its own disk, so that they hold while Redis is away, over restarts
too. What was revoked without Redis is told to the others when it is back.
"""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from redis.asyncio import Redis

from heliostat_gateway.access.keyring import Revocations
from heliostat_gateway.access.revokers import EndCalls, Revoked, Revoker
from heliostat_gateway.redis_state.connection import PREFIX, text_of
from heliostat_gateway.redis_state.listening import AWAY, Listener
from heliostat_gateway.storage import StorageError
from heliostat_gateway.tasks import end_task
from heliostat_json.objects import JsonObject, count_at, dump_object, parse_object, text_at

_LOG = logging.getLogger(__name__)
_REVOKED = f"{PREFIX}revocations"  # the set, scored by expiry, and the channel
OTHERS_SECONDS: Final = 2.0  # how long an answer waits for the other replicas
_KEPT_SECONDS = 3600  # after expiry, as on the disk


@dataclass
class _Waiting:
    """Confirmations of one revocation."""

    ended: int = 0
    confirmed: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class SharedRevoker(Revoker):
    """Revokes on all replicas of one Redis."""

    def __init__(self, redis: Redis, revocations: Revocations, end: EndCalls) -> None:
        self._redis = redis
        self._revocations = revocations
        self._end = end
        self._name = uuid4().hex
        self._listener = Listener(redis, _REVOKED, self._read, self._hear)
        self._waiting: dict[str, _Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Reads what is revoked and begins to hear."""
        await self._listener.start()

    async def close(self) -> None:
        """Stops hearing."""
        await self._listener.close()
        await end_task(*self._tasks)

    async def revoke(self, key_id: str, expires: int, now: int) -> Revoked:
        """Revokes a key; waits for the others, but not for long."""
        await self._revocations.add(key_id, expires, now)
        nonce = uuid4().hex
        waiting = self._waiting[nonce] = _Waiting()
        try:
            told = await self._tell(key_id, expires, nonce)
            ended = await self._end(key_id)
            everywhere = told is not None and await _confirmed(waiting, told)
        finally:
            del self._waiting[nonce]
        return Revoked(ended + waiting.ended, everywhere)

    async def _tell(self, key_id: str, expires: int, nonce: str) -> int | None:
        """How many replicas were told; None when Redis is away."""
        if not self._listener.is_connected:
            return None
        told = self._message({"key": key_id, "expires": expires, "nonce": nonce})
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.zadd(_REVOKED, {key_id: expires}, gt=True)
                pipeline.zremrangebyscore(_REVOKED, "-inf", time.time() - _KEPT_SECONDS)
                pipeline.publish(_REVOKED, told)
                replies: list[object] = await pipeline.execute()
        except AWAY as error:
            _LOG.warning("the other replicas hear of a revocation later: %s", error)
            self._listener.doubt()
            return None
        heard = replies[-1]
        return heard if isinstance(heard, int) else None

    async def _read(self) -> None:
        """Tells what only this replica knows, and learns the rest."""
        since = int(time.time()) - _KEPT_SECONDS
        known = _pairs(await self._redis.zrangebyscore(_REVOKED, since, "+inf", withscores=True))
        own = self._revocations.all()
        for key_id, expires in own.items():
            if key_id not in known and expires >= since:
                told = self._message({"key": key_id, "expires": expires})
                await self._redis.zadd(_REVOKED, {key_id: expires}, gt=True)
                await self._redis.publish(_REVOKED, told)
        for key_id, expires in known.items():
            if key_id not in own:
                self._begin_to_obey({"key": key_id, "expires": expires})

    def _hear(self, message: bytes) -> None:
        told = parse_object(message)
        if told is None:
            return
        is_own = text_at(told, "from") == self._name
        # Redis counts us among those that it told, so our own message confirms itself.
        waiting = self._waiting.get(text_at(told, "nonce" if is_own else "confirms"))
        if waiting is not None:
            waiting.ended += count_at(told, "ended")
            waiting.confirmed += 1
            waiting.changed.set()
        if text_at(told, "key") and not is_own:
            self._begin_to_obey(told)

    def _begin_to_obey(self, told: JsonObject) -> None:
        # Ends streams and waits until they are booked: not in the way of the next message.
        task = asyncio.create_task(self._obey(told))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _message(self, told: JsonObject) -> bytes:
        return dump_object({**told, "from": self._name})

    async def _obey(self, told: JsonObject) -> None:
        ended = await self._apply(text_at(told, "key"), count_at(told, "expires"))
        nonce = text_at(told, "nonce")
        if nonce:
            with contextlib.suppress(*AWAY):
                answer = self._message({"confirms": nonce, "ended": ended})
                await self._redis.publish(_REVOKED, answer)

    async def _apply(self, key_id: str, expires: int) -> int:
        """Known here from now on. Returns how many streams were ended."""
        try:
            await self._revocations.add(key_id, expires, int(time.time()))
        except StorageError:
            # It is in memory all the same, and Redis has it for the next start.
            _LOG.exception("a revocation could not be written to the disk")
        return await self._end(key_id)


async def _confirmed(waiting: _Waiting, told: int) -> bool:
    """Whether so many confirmed in time."""
    try:
        async with asyncio.timeout(OTHERS_SECONDS):
            while waiting.confirmed < told:
                waiting.changed.clear()
                await waiting.changed.wait()
    except TimeoutError:
        return False
    return True


def _pairs(reply: object) -> dict[str, int]:
    """Members and scores of a sorted set."""
    found: dict[str, int] = {}
    for pair in reply if isinstance(reply, list) else []:
        match pair:
            case [bytes() | str() as key_id, float() | int() as expires]:
                found[text_of(key_id)] = int(expires)
    return found
