"""How often somebody may ask: a bucket of a minute's requests that fills again evenly."""

import math
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Protocol

_MINUTE: Final = 60.0


def admit(a_minute: int, full_at: float, now: float) -> tuple[float, float]:
    """When the bucket would be full again, and the seconds to wait: 0 for who is admitted.

    `full_at` is that of the last time (0 for the first); times are seconds of any one clock.
    """
    interval = _MINUTE / a_minute
    after = max(full_at, now) + interval
    wait = after - now - _MINUTE
    return (full_at, wait) if wait > 1e-6 else (after, 0.0)


def retry_after(wait: float) -> int:
    """Whole seconds for the header Retry-After."""
    return max(1, math.ceil(wait))


def network_of(address: str) -> str:
    """Who counts as one: an IPv4 address, or the /64 that one customer has."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    return str(ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


class Buckets(Protocol):
    """One bucket for each key."""

    async def take(self, key: str, a_minute: int) -> float:
        """Seconds to wait; 0 when one request was taken."""

    async def close(self) -> None:
        """Gives connections back."""


class LocalBuckets:
    """Of this process. Full buckets are forgotten, so at most a minute's keys are kept."""

    def __init__(self, clock: Callable[[], float], sweep_size: int = 10_000) -> None:
        self._clock = clock
        self._full_at: dict[str, float] = {}
        self._sweep_size = self._sweep_at = sweep_size

    def __len__(self) -> int:
        return len(self._full_at)

    async def take(self, key: str, a_minute: int) -> float:
        """See Buckets."""
        now = self._clock()
        after, wait = admit(a_minute, self._full_at.get(key, 0.0), now)
        self._full_at[key] = after
        if len(self._full_at) > self._sweep_at:
            self._sweep(now)
        return wait

    async def close(self) -> None:
        """See Buckets."""

    def _sweep(self, now: float) -> None:
        self._full_at = {key: each for key, each in self._full_at.items() if each > now}
        self._sweep_at = max(self._sweep_size, 2 * len(self._full_at))
