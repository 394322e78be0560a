"""Who is it: asked before a body is read, so that nobody unknown has anything read for them."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Generic, TypeVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

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


class DoorsFirst(APIRoute):
    """A route whose doors are passed first: FastAPI itself reads a body before anything else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[object, None, Response]]:
        """See APIRoute."""
        handle = super().get_route_handler()
        doors = tuple(doors_of(self.dependant))

        async def handle_known(request: Request) -> Response:
            for door in doors:
                await door(request)
            return await handle(request)

        return handle_known if doors else handle


def doors_of(dependant: Dependant) -> Iterator[Door[object]]:
    """Those that a dependency, or what it depends on, stands behind."""
    if isinstance(dependant.call, Door):
        yield dependant.call
    for each in dependant.dependencies:
        yield from doors_of(each)
