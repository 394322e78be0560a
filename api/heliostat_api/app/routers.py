"""The routers of the api, a table of contents: the order is that of the OpenAPI document."""

from functools import cache
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from heliostat_api.account.endpoints import me
from heliostat_api.account.endpoints import router as account
from heliostat_api.agents.endpoints import router as agents
from heliostat_api.agents.run_endpoints import router as agent_runs
from heliostat_api.agents.sample_endpoints import router as samples
from heliostat_api.app.health import health
from heliostat_api.app.signing import signing
from heliostat_api.app.stream_endpoints import stream
from heliostat_api.chat.endpoints import conversations, workspace
from heliostat_api.executions.endpoints import router as executions
from heliostat_api.gateway.endpoints import router as models
from heliostat_api.schedules.endpoints import router as schedules
from heliostat_api.secrets.endpoints import router as secrets
from heliostat_api.usage.endpoints import router as usage
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.metrics import metrics
from heliostat_api.web.problems import Problem
from heliostat_api.webhooks.endpoints import router as webhooks

_RESPONSES: Final[dict[int | str, dict[str, object]]] = {
    422: {"model": Problem, "description": "A field is not what it must be."},
    "default": {"model": Problem, "description": "A problem (RFC 9457)."},
}
_UNDER_API: Final = (
    agents,
    agent_runs,
    usage,
    schedules,
    secrets,
    account,
    conversations,
    webhooks,
)
# Their paths begin with /api themselves: the label `route` of the metrics is a route's own path.
_WITH_API: Final = (me, models, samples, executions)
_OTHERS: Final = (workspace, health, metrics, signing)
ROUTERS: Final = (stream, *_UNDER_API, *_WITH_API, *_OTHERS)
"""Every router of the app, but that of deliveries."""


@cache
def build_routes() -> tuple[BaseRoute, ...]:
    """Returns every route, made once in a process: FastAPI takes 50 ms to study them all."""
    api = APIRouter(prefix="/api", route_class=CheckedRoute)
    for each in _UNDER_API:
        api.include_router(each)
    whole = APIRouter(generate_unique_id_function=name_of)
    whole.include_router(stream)
    for each in (api, *_WITH_API):
        whole.include_router(each, responses=_RESPONSES)
    for each in _OTHERS:
        whole.include_router(each)
    return tuple(whole.routes)


def add_routers(app: FastAPI) -> None:
    """Adds every router to the app."""
    app.router.routes.extend(build_routes())


def name_of(route: APIRoute) -> str:
    """Returns the id of an operation in the OpenAPI document."""
    return route.name
