"""Services of an app, which its endpoints get by their type.

An endpoint says `agents: Provided[Agents]`; the app is put together with one service of each type,
and with a missing one it does not start.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.requests import HTTPConnection

from heliostat_api.web.auth_dependency import AuthDependency

Service = TypeVar("Service")


class ServiceError(Exception):
    """A service is missing, or there are two of its type: the app can't start."""


class Services:
    """Holds the services of an app, each under its own type."""

    def __init__(self, *services: object) -> None:
        self._by_type: dict[type, object] = {}
        for each in services:
            if type(each) in self._by_type:
                raise ServiceError(f"two services are of the type {type(each).__qualname__}")
            self._by_type[type(each)] = each

    def get(self, kind: type[Service]) -> Service:
        """Returns the service of that type. Raises ServiceError."""
        found = self._by_type.get(kind)
        if not isinstance(found, kind):
            raise ServiceError(f"no service is of the type {kind.__qualname__}")
        return found


class Provider(Generic[Service]):
    """A dependency of an endpoint: it gives the app's service of one type."""

    def __init__(self, kind: type[Service]) -> None:
        self.kind = kind

    async def __call__(self, connection: HTTPConnection) -> Service:
        """Returns the service of the app that serves this request, or this WebSocket."""
        return service_of(connection, self.kind)


@cache
def provider_of(kind: type[Service]) -> Provider[Service]:
    """The one provider of a type: FastAPI asks it once a request, however many ask for it."""
    return Provider(kind)


if TYPE_CHECKING:
    Provided = Annotated[Service, "from the app's services"]
else:

    class Provided:
        """`Provided[Agents]` is an `Agents` that the app has."""

        def __class_getitem__(cls, kind: type[Service]) -> object:
            return Annotated[kind, Depends(provider_of(kind))]


def services_of(app: FastAPI) -> Services:
    """Returns what `add_services` gave to the app."""
    services: Services = app.state.services
    return services


def service_of(connection: HTTPConnection, kind: type[Service]) -> Service:
    """Returns the service of that type from the app that serves the connection."""
    return services_of(connection.app).get(kind)


def add_services(app: FastAPI, services: Services, routers: Iterable[APIRouter]) -> None:
    """Gives an app its services. Raises ServiceError for one that a route of the routers lacks."""
    for kind in kinds_in(routers):
        services.get(kind)
    app.state.services = services


def kinds_in(routers: Iterable[APIRouter]) -> Iterator[type]:
    """Yields the types that the endpoints of the routers ask for, some of them repeatedly."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute | APIWebSocketRoute):
                yield from _kinds_of(route.dependant)


def _kinds_of(dependant: Dependant) -> Iterator[type]:
    match dependant.call:
        case Provider() as provider:
            yield provider.kind
        case AuthDependency() as auth:
            yield from auth.needs
    for each in dependant.dependencies:
        yield from _kinds_of(each)
