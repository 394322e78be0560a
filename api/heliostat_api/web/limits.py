"""Limits: who asks too often is told when to come back (429)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.texts import bilingual
from heliostat_api.people.limits import Buckets, network_of, retry_after
from heliostat_api.web.guards import is_for_programs
from heliostat_api.web.problems import ProblemError, respond


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
