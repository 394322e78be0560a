"""Who is it: asked before a body is read, so that nobody unknown has anything read for them."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Generic, TypeVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from heliostat_api.web.surrogates import refuse_halves

Known = TypeVar("Known")


class Door(Generic[Known]):
    """A dependency that says who calls, or raises a problem. Asked once a request."""

    def __init__(self, ask: Callable[[HTTPConnection], Awaitable[Known]]) -> None:
        self._ask = ask
        self._place = f"heliostat.door.{ask.__module__}.{ask.__qualname__}"

    async def __call__(self, connection: HTTPConnection) -> Known:
        """Who it is."""
        if self._place not in connection.scope:
            connection.scope[self._place] = await self._ask(connection)
        known: Known = connection.scope[self._place]
        return known


class CheckedRoute(APIRoute):
    """A route whose doors are passed first, for FastAPI itself reads a body before anything else;
    then its body is checked for what JSON can say and no text can be."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[object, None, Response]]:
        """See APIRoute."""
        handle = super().get_route_handler()
        doors, takes_json = tuple(doors_of(self.dependant)), self.body_field is not None

        async def handle_checked(request: Request) -> Response:
            for door in doors:
                await door(request)
            if takes_json:
                refuse_halves(await request.body())
            return await handle(request)

        return handle_checked


def doors_of(dependant: Dependant) -> Iterator[Door[object]]:
    """Those that a dependency, or what it depends on, stands behind."""
    if isinstance(dependant.call, Door):
        yield dependant.call
    for each in dependant.dependencies:
        yield from doors_of(each)
