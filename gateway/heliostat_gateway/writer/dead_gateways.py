"""Requests of dead gateways are booked as they were noted last, as estimated, exactly once."""

import logging
import time
from dataclasses import replace

from heliostat_gateway.money.rows import DIED
from heliostat_gateway.redis_state.recovery import LEASE_SECONDS
from heliostat_gateway.redis_state.requests import BOOKINGS, HEADS, settle_arguments
from heliostat_gateway.redis_state.scripts import MONEY, Scripts
from heliostat_gateway.writer.stream_consumer import StreamConsumer

_LOG = logging.getLogger(__name__)


class DeadGatewayReaper:
    """A gateway is dead when its lease has run out, and Redis was there for all of that time:
    after an outage every gateway gets the time to say that it lives.
    """

    def __init__(self, consumer: StreamConsumer, scripts: Scripts) -> None:
        self._consumer = consumer
        self._scripts = scripts
        self._since: float | None = None
        self.buried = 0

    def lose(self) -> None:
        """Redis is away."""
        self._since = None

    async def step(self) -> int:
        """Books what dead gateways left. Returns how many requests. Raises RedisAwayError."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since < LEASE_SECONDS:
            return 0
        seconds = await self._consumer.command("TIME")
        if not isinstance(seconds, (list, tuple)):
            return 0
        redis_ms = int(seconds[0]) * 1000 + int(seconds[1]) // 1000
        dead = await self._names("ZRANGEBYSCORE", f"{MONEY}gateways", "-inf", f"({redis_ms}")
        count = 0
        for gateway in dead:
            count += await self._bury(gateway, redis_ms)
        self.buried += count
        return count

    async def _bury(self, gateway: str, now_ms: int) -> int:
        count = 0
        for request in await self._names("SMEMBERS", f"{MONEY}gateway:{gateway}"):
            key = f"{MONEY}request:{request}"
            head_text, text = (
                await self._consumer.command("HGET", key, "head"),
                await self._consumer.command("HGET", key, "b"),
            )
            if not isinstance(head_text, bytes) or not isinstance(text, bytes):
                await self._consumer.command("SREM", f"{MONEY}gateway:{gateway}", request)
                continue
            parts = [
                replace(part, outcome=DIED, estimated=True) for part in BOOKINGS.validate_json(text)
            ]
            head = HEADS.validate_json(head_text)
            reply = await self._scripts.run(
                "settle", *settle_arguments("died", "", now_ms, head, parts)
            )
            if reply.word == "alive":
                return count
            count += reply.word == "ok"
        await self._scripts.run("forget", gateway, 0)
        if count:
            _LOG.warning("%d requests of a gateway that died were booked as estimated", count)
        return count

    async def _names(self, *command: str) -> list[str]:
        found = await self._consumer.command(*command)
        if not isinstance(found, (list, set, tuple)):
            return []
        return [name.decode() for name in found if isinstance(name, bytes)]
