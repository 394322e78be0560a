"""Limits: who asks too often is told when to come back (429).

Each who asks has a bucket of a minute's requests that fills again evenly.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.texts import bilingual
from heliostat_api.web.guards import is_for_programs
from heliostat_api.web.problems import ProblemError, respond

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
    """Keeps the buckets of this process, and forgets full ones: at most a minute's keys stay."""

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


class TooManyProblem(ProblemError):
    """Somebody asked too often."""

    def __init__(self, a_minute: int, wait: float) -> None:
        seconds = retry_after(wait)
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            bilingual(
                en=f"At most {a_minute} requests a minute: try again in {seconds} s.",
                ko=f"1분에 {a_minute}번까지 요청할 수 있습니다. {seconds}초 뒤에 다시 해 주세요.",
            ),
            headers={"Retry-After": str(seconds)},
        )


@dataclass(frozen=True)
class Limits:
    """Requests a minute; 0 is no limit."""

    buckets: Buckets
    guest: int = 0
    person: int = 0
    address: int = 0

    async def check_person(self, person: Person) -> None:
        """Raises TooManyProblem."""
        is_guest = person.kind is PersonKind.GUEST
        a_minute = self.guest if is_guest else self.person
        await self._take(f"person:{person.id}", a_minute)

    async def check_address(self, address: str) -> None:
        """Raises TooManyProblem."""
        await self._take(f"address:{network_of(address)}", self.address)

    async def _take(self, key: str, a_minute: int) -> None:
        wait = await self.buckets.take(key, a_minute) if a_minute else 0.0
        if wait:
            raise TooManyProblem(a_minute, wait)


class AddressLimit:
    """ASGI middleware: each address has a limit, whoever comes from there."""

    def __init__(self, app: ASGIApp, check: Callable[[str], Awaitable[None]]) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Probes and runs that deliver are not limited."""
        if scope["type"] not in ("http", "websocket") or is_for_programs(scope["path"]):
            return await self._app(scope, receive, send)
        client = scope.get("client")
        try:
            await self._check(client[0] if client else "")
        except TooManyProblem as problem:
            return await respond(problem)(scope, receive, send)
        return await self._app(scope, receive, send)
