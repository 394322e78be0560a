"""Who calls: asked before a body is read, so that nothing is read for strangers."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Generic, TypeAlias, TypeVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from heliostat_api.web.bodies import refuse_surrogates

Known = TypeVar("Known")
Ask: TypeAlias = Callable[[HTTPConnection], Awaitable[Known]]


class AuthDependency(Generic[Known]):
    """A dependency that says who calls, or raises a problem. It asks once a request."""

    def __init__(self, ask: Ask[Known], needs: tuple[type, ...]) -> None:
        self.needs = needs
        """Types of the services that it asks."""
        self._ask = ask
        self._place = f"heliostat.auth.{ask.__module__}.{ask.__qualname__}"

    async def __call__(self, connection: HTTPConnection) -> Known:
        """Returns who it is."""
        if self._place not in connection.scope:
            connection.scope[self._place] = await self._ask(connection)
        known: Known = connection.scope[self._place]
        return known


def auth_dependency(*needs: type) -> Callable[[Ask[Known]], AuthDependency[Known]]:
    """Makes a function an AuthDependency; `needs` are the types of the services that it asks."""
    return lambda ask: AuthDependency(ask, needs)


class CheckedRoute(APIRoute):
    """A route that asks who calls first, for FastAPI itself reads a body before anything else;
    then its body is checked for what JSON can say and no text can be."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[object, None, Response]]:
        """Returns the handler with both checks before it."""
        handle = super().get_route_handler()
        auths, takes_json = tuple(auths_of(self.dependant)), self.body_field is not None

        async def handle_checked(request: Request) -> Response:
            for auth in auths:
                await auth(request)
            if takes_json:
                refuse_surrogates(await request.body())
            return await handle(request)

        return handle_checked


def auths_of(dependant: Dependant) -> Iterator[AuthDependency[object]]:
    """Yields those that a dependency, or what it depends on, stands behind."""
    if isinstance(dependant.call, AuthDependency):
        yield dependant.call
    for each in dependant.dependencies:
        yield from auths_of(each)
