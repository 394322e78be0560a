"""The endpoints of models, a table of contents: each is one call."""

from fastapi import APIRouter

from heliostat_api.gateway.models import ModelList
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import PartsOf, PersonOf

models = APIRouter(route_class=CheckedRoute)


@models.get("/models")
async def list_models(parts: PartsOf, _: PersonOf) -> ModelList:
    """What an agent may name as its model; 503 while the gateway can't be asked."""
    return await parts.routes.list()
