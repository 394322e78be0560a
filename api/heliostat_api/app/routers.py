"""The routers of the api, a table of contents: the order is that of the OpenAPI document."""

from fastapi import APIRouter

from heliostat_api.account.endpoints import account
from heliostat_api.agents.endpoints import agents, samples
from heliostat_api.chat.endpoints import conversations
from heliostat_api.executions.endpoints import executions
from heliostat_api.gateway.endpoints import models
from heliostat_api.schedules.endpoints import schedules
from heliostat_api.secrets.endpoints import secrets
from heliostat_api.usage.endpoints import usage
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.problems import Problem
from heliostat_api.webhooks.endpoints import webhooks

api = APIRouter(
    prefix="/api",
    route_class=CheckedRoute,
    responses={
        422: {"model": Problem, "description": "A field is not what it must be."},
        "default": {"model": Problem, "description": "A problem (RFC 9457)."},
    },
)
for each in (
    agents,
    usage,
    schedules,
    secrets,
    account,
    conversations,
    webhooks,
    models,
    samples,
    executions,
):
    api.include_router(each)
