"""Answers in Redis: one entry and one short lock for each key, all in one script a step."""

import logging
import struct
import time
from typing import Final

from pydantic import JsonValue
from redis.asyncio import Redis

from heliostat_gateway.caching.answers import AnswerStore, CachedAnswer, Claim
from heliostat_gateway.redis_state.connection import PREFIX
from heliostat_gateway.redis_state.listening import AWAY
from heliostat_json.objects import dump_object, list_at, parse_object

_LOG = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 1.0  # after a failure, how long Redis is not asked
_HEAD = struct.Struct(">I")

_CLAIM = """
local answer = redis.call('GET', KEYS[1])
if answer then return {'hit', answer} end
local holder = redis.call('GET', KEYS[2])
if holder == 'refused' then return {'alone', ''} end
if holder and holder ~= ARGV[1] then return {'wait', ''} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {'lead', ''}
"""
# ARGV: token, what becomes of the lock, for how long, the answer (may be empty), for how long.
_END = """
if ARGV[4] ~= '' then redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[2] == 'free' then return redis.call('DEL', KEYS[2]) end
if ARGV[2] == 'hold' then return redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
redis.call('SET', KEYS[2], 'refused', 'PX', ARGV[3])
return 1
"""


class SharedAnswers(AnswerStore):
    """Answers of all replicas. Redis away: no hits, nothing kept, nobody waits."""

    def __init__(self, redis: Redis, largest: int = 1024 * 1024, lock_seconds: float = 3.0) -> None:
        """`largest` bounds one answer, in bytes; the lock of a dead replica goes by itself."""
        self.renew_seconds: float | None = lock_seconds / 3
        self._largest = largest
        self._lock_ms = round(lock_seconds * 1000)
        self._claim = redis.register_script(_CLAIM)
        self._end = redis.register_script(_END)
        self._again_at = 0.0

    async def claim(self, key: str, token: str) -> CachedAnswer | Claim:
        """The answer, the right to get it, or neither."""
        if time.monotonic() < self._again_at:
            return Claim.ALONE
        try:
            reply: object = await self._claim(keys=_names(key), args=[token, self._lock_ms])
        except AWAY as error:
            self._gone(error)
            return Claim.ALONE
        match reply:
            case [b"hit", bytes(text)]:
                return _read(text) or Claim.ALONE
            case [b"lead", _]:
                return Claim.LEAD
            case [b"wait", _]:
                return Claim.WAIT
            case _:
                return Claim.ALONE

    async def put(self, key: str, token: str, answer: CachedAnswer, seconds: float) -> None:
        """Keeps an answer."""
        if answer.size > self._largest:
            await self.refuse(key, token)
            return
        await self._do(key, [token, "free", 0, _write(answer), max(round(seconds * 1000), 1)])

    async def refuse(self, key: str, token: str) -> None:
        """Says for a moment that nobody needs to wait."""
        await self._do(key, [token, "refuse", 1000, "", 0])

    async def leave(self, key: str, token: str) -> None:
        """Gives the lock back."""
        await self._do(key, [token, "free", 0, "", 0])

    async def renew(self, key: str, token: str) -> None:
        """Holds the lock for longer."""
        await self._do(key, [token, "hold", self._lock_ms, "", 0])

    async def _do(self, key: str, arguments: list[str | int | bytes]) -> None:
        if time.monotonic() < self._again_at:
            return
        try:
            await self._end(keys=_names(key), args=arguments)
        except AWAY as error:
            self._gone(error)

    def _gone(self, error: Exception) -> None:
        _LOG.warning("answers are not cached for a moment, Redis is away: %s", error)
        self._again_at = time.monotonic() + _AGAIN_SECONDS


def _names(key: str) -> list[str]:
    return [f"{PREFIX}cache:{{{key}}}:answer", f"{PREFIX}cache:{{{key}}}:lock"]


def _write(answer: CachedAnswer) -> bytes:
    headers: list[JsonValue] = [[name, value] for name, value in answer.headers]
    sizes: list[JsonValue] = [len(chunk) for chunk in answer.chunks]
    head = dump_object({"headers": headers, "sizes": sizes, "stored": answer.stored})
    return _HEAD.pack(len(head)) + head + b"".join(answer.chunks)


def _read(text: bytes) -> CachedAnswer | None:
    """None for what another version wrote."""
    if len(text) < _HEAD.size:
        return None
    (length,) = _HEAD.unpack_from(text)
    start = _HEAD.size + length
    head = parse_object(text[_HEAD.size : start])
    if head is None:
        return None
    chunks: list[bytes] = []
    for size in list_at(head, "sizes"):
        if not isinstance(size, int):
            return None
        chunks.append(text[start : start + size])
        start += size
    headers: list[tuple[str, str]] = []
    for pair in list_at(head, "headers"):
        match pair:
            case [str(name), str(value)]:
                headers.append((name, value))
    stored = head.get("stored")
    if start != len(text) or not isinstance(stored, float | int):
        return None
    return CachedAnswer(tuple(headers), tuple(chunks), float(stored))
