"""The event log in Redis Streams: one log for all replicas.

A stream for each audience, ids from one counter, so that a cursor is a number over all of them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from heliostat_api.documents.port import UnavailableError
from heliostat_api.events.bells import Bells
from heliostat_api.events.log import BOUND, KEPT_TENTHS, MOST_BYTES, SLACK, Slice, bound_of
from heliostat_api.events.reports import Logged, Report, read_report

_PREFIX = "{heliostat:events}:"  # in braces: one slot of a Redis cluster, for the script
_COUNTER = _PREFIX + "counter"
_CHANNEL = _PREFIX + "channel"
_RETRY_SECONDS = 0.5
_CONNECT_SECONDS = 1.0
_LOG = logging.getLogger(__name__)

# KEYS: counter, stream, keys that were heard, newest id that is gone, channel, bytes.
# ARGV: key, bound, slack, audience, most bytes, what trimming leaves of them, then field and value
# of the report in turn, the payload last.
_APPEND = """
local key, bound, slack = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local most, left = tonumber(ARGV[5]), tonumber(ARGV[6])
if key ~= '' and redis.call('ZSCORE', KEYS[3], key) then return 0 end
local id = redis.call('INCR', KEYS[1])
redis.call('XADD', KEYS[2], id .. '-0', unpack(ARGV, 7))
if key ~= '' then redis.call('ZADD', KEYS[3], id, key) end
local total = redis.call('INCRBY', KEYS[6], #ARGV[#ARGV])
local length = redis.call('XLEN', KEYS[2])
if length >= bound + slack or total > most then
  local gone = 0
  local function is_too_much() return length > bound or (total > left and length > 1) end
  while is_too_much() do
    for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 100)) do
      if not is_too_much() then break end
      gone = tonumber(string.match(entry[1], '^%d+'))
      total = total - #entry[2][#entry[2]]
      length = length - 1
    end
    redis.call('XTRIM', KEYS[2], 'MINID', string.format('%d-0', gone + 1))
  end
  if gone > 0 then
    redis.call('SET', KEYS[4], string.format('%d', gone))
    redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', gone)
    redis.call('SET', KEYS[6], string.format('%d', math.max(total, 0)))
  end
end
redis.call('PUBLISH', KEYS[5], ARGV[4])
return id
"""
# KEYS as for _APPEND. ARGV: audience.
_FORGET = """
redis.call('SET', KEYS[4], redis.call('GET', KEYS[1]) or '0')
redis.call('DEL', KEYS[2], KEYS[3], KEYS[6])
redis.call('PUBLISH', KEYS[5], ARGV[1])
"""
# KEYS and ARGV as for _FORGET.
_ERASE = """
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[6])
redis.call('PUBLISH', KEYS[5], ARGV[1])
"""
# KEYS: counter, then stream and newest gone id of each audience. ARGV: cursor, limit.
# Answers {newest id, 1 for a gap, entries of each stream ...}: all of one moment.
_READ = """
local after, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local newest = tonumber(redis.call('GET', KEYS[1]) or '0')
if after > newest then return {newest, 1} end
local found = {newest, 0}
for i = 2, #KEYS, 2 do
  if after < tonumber(redis.call('GET', KEYS[i + 1]) or '0') then return {newest, 1} end
  found[#found + 1] = redis.call('XRANGE', KEYS[i], '(' .. after .. '-0', '+', 'COUNT', limit)
end
return found
"""


class RedisEventLog:
    """An EventLog over Redis. `bound` is how many reports each audience keeps, `most_bytes` how
    many bytes of them.

    Every call raises UnavailableError while Redis is away; `wait` then ends at its time.
    """

    def __init__(
        self, url: str, *, bound: int = BOUND, slack: int = SLACK, most_bytes: int = MOST_BYTES
    ) -> None:
        """Raises ValueError for a malformed address. It listens from the first `wait` on."""
        self._redis = Redis.from_url(url, socket_connect_timeout=_CONNECT_SECONDS)
        self._append = self._redis.register_script(_APPEND)
        self._read = self._redis.register_script(_READ)
        self._forget = self._redis.register_script(_FORGET)
        self._erase = self._redis.register_script(_ERASE)
        self._bound = bound
        self._slack = slack
        self._bytes = most_bytes, most_bytes * KEPT_TENTHS // 10
        self._bells = Bells()
        self._listening: asyncio.Task[None] | None = None

    async def append(self, audience: str, report: Report, key: str = "") -> None:
        """Once per key and audience, as long as that report is kept."""
        fields = (
            *("type", report.type.value),
            *("execution", report.execution),
            *("correlation", report.correlation_id),
            *("time", report.time.isoformat()),
            *("payload", report.payload_text),
        )
        bounds = bound_of(audience, self._bound), bound_of(audience, self._slack)
        async with _mapped():
            await self._append(_keys(audience), [key, *bounds, audience, *self._bytes, *fields])

    async def read(self, audiences: Collection[str], after: int, limit: int = 500) -> Slice:
        """A cursor from elsewhere is a gap."""
        keys = [_COUNTER, *(key for each in audiences for key in (_stream(each), _gone(each)))]
        async with _mapped():
            _, gap, *streams = await self._read(keys, [after, limit])
        if gap:
            return Slice((), after, has_gap=True)
        found = sorted(
            (_read_entry(entry) for stream in streams for entry in stream),
            key=lambda each: each.id,
        )[:limit]
        return Slice(tuple(found), found[-1].id if found else after)

    async def end(self) -> int:
        """The newest id ever given, of any audience."""
        async with _mapped():
            return int(await self._redis.get(_COUNTER) or 0)

    async def wait(self, audiences: Collection[str], after: int, seconds: float) -> None:
        """Any replica may append: it is heard through a channel."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

        async def has_news() -> bool:
            try:
                return bool((await self.read(audiences, after, 1)).reports)
            except UnavailableError:
                return False

        await self._bells.wait(audiences, seconds, has_news)

    async def forget(self, audience: str) -> None:
        """In one script."""
        async with _mapped():
            await self._forget(_keys(audience), [audience])

    async def erase(self, audience: str) -> None:
        """In one script."""
        async with _mapped():
            await self._erase(_keys(audience), [audience])

    async def close(self) -> None:
        """Gives the connections back."""
        while self._listening is not None and not self._listening.done():
            # Again and again: a client in the middle of a reconnect may swallow it.
            self._listening.cancel()
            await asyncio.wait({self._listening}, timeout=_RETRY_SECONDS)
        await self._redis.aclose()

    async def _listen(self) -> None:
        """Rings for every message, and for all after a time of deafness."""
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(_CHANNEL)
                    self._bells.ring_all()
                    async for message in channel.listen():
                        if message["type"] == "message":
                            self._bells.ring(message["data"].decode())
            except (RedisError, OSError) as error:
                _LOG.warning("other replicas are not heard: %s", error)
            await asyncio.sleep(_RETRY_SECONDS)


def _keys(audience: str) -> list[str]:
    return [
        _COUNTER,
        _stream(audience),
        _heard(audience),
        _gone(audience),
        _CHANNEL,
        _bytes(audience),
    ]


def _stream(audience: str) -> str:
    return f"{_PREFIX}of:{audience}"


def _heard(audience: str) -> str:
    return f"{_PREFIX}heard:{audience}"


def _bytes(audience: str) -> str:
    return f"{_PREFIX}bytes:{audience}"


def _gone(audience: str) -> str:
    return f"{_PREFIX}gone:{audience}"


@asynccontextmanager
async def _mapped() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise UnavailableError(f"Redis: {error}") from error


def _read_entry(entry: tuple[bytes, list[bytes]]) -> Logged:
    name, flat = entry
    fields = dict(zip(flat[::2], (each.decode() for each in flat[1::2]), strict=True))
    report = read_report(
        fields[b"type"],
        fields[b"time"],
        fields[b"payload"],
        fields[b"correlation"],
        fields[b"execution"],
    )
    return Logged(int(name.partition(b"-")[0]), report)
