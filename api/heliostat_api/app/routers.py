"""The routers of the api, a table of contents: the order is that of the OpenAPI document."""

from typing import Final

from fastapi import APIRouter

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

api = APIRouter(
    prefix="/api",
    route_class=CheckedRoute,
    responses={
        422: {"model": Problem, "description": "A field is not what it must be."},
        "default": {"model": Problem, "description": "A problem (RFC 9457)."},
    },
)
FEATURES: Final = (
    agents,
    agent_runs,
    usage,
    schedules,
    secrets,
    account,
    conversations,
    webhooks,
    models,
    samples,
    executions,
)
for each in FEATURES:
    api.include_router(each)

ROUTERS: Final = (stream, *FEATURES, workspace, health, metrics, signing)
"""Every router of the app, but that of deliveries."""
