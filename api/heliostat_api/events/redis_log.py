"""The event log in Redis Streams: one log for all replicas.

A stream for each audience, ids from one counter, so that a cursor is a number over all of them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from heliostat_api.base.cancellation import keep_cancellation
from heliostat_api.documents.port import UnavailableError
from heliostat_api.events.log import (
    REPORT_BYTES,
    USUAL,
    Bounds,
    Logged,
    Report,
    Slice,
    bound_of,
    kept_of,
    read_report,
)
from heliostat_api.events.notifier import ChangeNotifier

_PREFIX = "{heliostat:events}:"  # in braces: one slot of a Redis cluster, for the script
_COUNTER = _PREFIX + "counter"
_BEGINNING = _PREFIX + "beginning"
_TOTAL = _PREFIX + "total"
_AUDIENCES = _PREFIX + "audiences"
_CHANNEL = _PREFIX + "channel"
_RETRY_SECONDS = 0.5
_CONNECT_SECONDS = 1.0
_CONNECTIONS = 32
"""Of a replica, however many streams are woken at once; who finds none free waits."""
_PATIENCE_SECONDS = 10.0
_LOG = logging.getLogger(__name__)

# Of all scripts. KEYS: counter, beginning. An id is never used twice, not even after Redis has lost
# its data: each is at least the time in microseconds, and what is older than the log is a gap.
_IDS = """
local function text(number) return string.format('%d', number) end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function newest()
  local id = redis.call('GET', KEYS[1])
  if id then return tonumber(id) end
  local begin = now()
  redis.call('SET', KEYS[1], text(begin))
  redis.call('SET', KEYS[2], text(begin))
  return begin
end
"""
# Of the scripts of one audience. KEYS: counter, beginning, bytes of all, audiences by their newest
# id, channel, then of the audience: stream, keys that were heard, newest id that is gone, bytes.
_COSTS = f"""
local function cost_of(stream, bytes)
  return {REPORT_BYTES} * redis.call('XLEN', stream) + tonumber(redis.call('GET', bytes) or '0')
end
local function pay(change)
  local total = tonumber(redis.call('GET', KEYS[3]) or '0') + change
  redis.call('SET', KEYS[3], text(math.max(total, 0)))
  return total
end
"""
# ARGV: audience, key, bound, slack, most bytes, what trimming leaves of them, both for all
# audiences, prefix of all keys, then field and value of the report in turn, the payload last.
_APPEND = f"""{_IDS}{_COSTS}
local key, bound, slack = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local most, left = tonumber(ARGV[5]), tonumber(ARGV[6])
if key ~= '' and redis.call('ZSCORE', KEYS[7], key) then return 0 end
local before = cost_of(KEYS[6], KEYS[9])
local id = text(math.max(newest() + 1, now()))
redis.call('SET', KEYS[1], id)
redis.call('XADD', KEYS[6], id .. '-0', unpack(ARGV, 10))
if key ~= '' then redis.call('ZADD', KEYS[7], id, key) end
redis.call('ZADD', KEYS[4], id, ARGV[1])
local bytes = redis.call('INCRBY', KEYS[9], #ARGV[#ARGV])
local length = redis.call('XLEN', KEYS[6])
if length >= bound + slack or bytes > most then
  local gone = 0
  local function is_too_much() return length > bound or (bytes > left and length > 1) end
  while is_too_much() do
    for _, entry in ipairs(redis.call('XRANGE', KEYS[6], '-', '+', 'COUNT', 100)) do
      if not is_too_much() then break end
      gone = tonumber(string.match(entry[1], '^%d+'))
      bytes = bytes - #entry[2][#entry[2]]
      length = length - 1
    end
    redis.call('XTRIM', KEYS[6], 'MINID', text(gone + 1) .. '-0')
  end
  if gone > 0 then
    redis.call('SET', KEYS[8], text(gone))
    redis.call('ZREMRANGEBYSCORE', KEYS[7], '-inf', text(gone))
    redis.call('SET', KEYS[9], text(math.max(bytes, 0)))
  end
end
local total = pay(cost_of(KEYS[6], KEYS[9]) - before)
if total > tonumber(ARGV[7]) then  -- the audiences that were silent for longest go, not this one
  while total > tonumber(ARGV[8]) and redis.call('ZCARD', KEYS[4]) > 1 do
    local silent = redis.call('ZPOPMIN', KEYS[4])
    local stream, heard = ARGV[9] .. 'of:' .. silent[1], ARGV[9] .. 'heard:' .. silent[1]
    local of_it = ARGV[9] .. 'bytes:' .. silent[1]
    total = pay(-cost_of(stream, of_it))
    redis.call('SET', ARGV[9] .. 'gone:' .. silent[1], text(tonumber(silent[2])))
    redis.call('DEL', stream, heard, of_it)
  end
end
redis.call('PUBLISH', KEYS[5], ARGV[1])
return 1
"""
# ARGV: audience, 1 to keep the mark that makes a cursor from before a gap.
_DROP = f"""{_IDS}{_COSTS}
pay(-cost_of(KEYS[6], KEYS[9]))
redis.call('DEL', KEYS[6], KEYS[7], KEYS[8], KEYS[9])
redis.call('ZREM', KEYS[4], ARGV[1])
if ARGV[2] == '1' then redis.call('SET', KEYS[8], text(newest())) end
redis.call('PUBLISH', KEYS[5], ARGV[1])
"""
# KEYS: counter, beginning, then stream and newest gone id of each audience. ARGV: cursor, limit.
# Answers {1 for a gap, entries of each stream ...}: all of one moment.
_READ = f"""{_IDS}
local after = tonumber(ARGV[1])
local last = newest()
if after > last then return {{1}} end
if after > 0 and after < tonumber(redis.call('GET', KEYS[2]) or '0') then return {{1}} end
local found = {{0}}
for i = 3, #KEYS, 2 do
  if after < tonumber(redis.call('GET', KEYS[i + 1]) or '0') then return {{1}} end
  found[#found + 1] = redis.call('XRANGE', KEYS[i], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])
end
return found
"""
_END = f"{_IDS} return newest()"


class RedisEventLog:
    """An EventLog over Redis.

    Every call raises UnavailableError while Redis is away; `wait` then ends at its time.
    """

    def __init__(self, url: str, bounds: Bounds = USUAL) -> None:
        """Raises ValueError for a malformed address. It listens from the first `wait` on."""
        self._redis = _open(url, _CONNECTIONS)
        self._listener = _open(url, 1)  # it holds its connection for good
        self._append = self._redis.register_script(_APPEND)
        self._read = self._redis.register_script(_READ)
        self._drop = self._redis.register_script(_DROP)
        self._end = self._redis.register_script(_END)
        self._bounds = bounds
        self._bells = ChangeNotifier()
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
        ours = self._bounds
        bounds = (
            *(bound_of(audience, ours.bound), bound_of(audience, ours.slack)),
            *(ours.most_bytes, kept_of(ours.most_bytes)),
            *(ours.total_bytes, kept_of(ours.total_bytes)),
        )
        async with _mapped():
            await self._append(_keys(audience), [audience, key, *bounds, _PREFIX, *fields])

    async def read(self, audiences: Collection[str], after: int, limit: int = 500) -> Slice:
        """A cursor from elsewhere is a gap."""
        names = (key for each in audiences for key in (_stream(each), _gone(each)))
        keys = [_COUNTER, _BEGINNING, *names]
        async with _mapped():
            gap, *streams = await self._read(keys, [after, limit])
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
            return int(await self._end([_COUNTER, _BEGINNING]))

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
            await self._drop(_keys(audience), [audience, 1])

    async def erase(self, audience: str) -> None:
        """In one script."""
        async with _mapped():
            await self._drop(_keys(audience), [audience, 0])

    async def close(self) -> None:
        """Gives the connections back."""
        while self._listening is not None and not self._listening.done():
            # Again and again: a client in the middle of a reconnect may swallow it.
            self._listening.cancel()
            await asyncio.wait({self._listening}, timeout=_RETRY_SECONDS)
        await self._redis.aclose()
        await self._listener.aclose()

    async def _listen(self) -> None:
        """Rings for every message, and for all after a time of deafness."""
        while True:
            try:
                async with self._listener.pubsub() as channel:
                    await channel.subscribe(_CHANNEL)
                    self._bells.ring_all()
                    async for message in channel.listen():
                        if message["type"] == "message":
                            self._bells.ring(message["data"].decode())
            except (RedisError, OSError) as error:
                _LOG.warning("other replicas are not heard: %s", error)
            await asyncio.sleep(_RETRY_SECONDS)


def _open(url: str, connections: int) -> Redis:
    """Raises ValueError for a malformed address."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=_PATIENCE_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        # With them on, a connection that Redis closed meanwhile is taken for a good one.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    return Redis.from_pool(pool)


def _keys(audience: str) -> list[str]:
    return [
        _COUNTER,
        _BEGINNING,
        _TOTAL,
        _AUDIENCES,
        _CHANNEL,
        _stream(audience),
        _heard(audience),
        _gone(audience),
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
        with keep_cancellation():
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
