"""The endpoints of models, a table of contents: each is one call."""

from fastapi import APIRouter

from heliostat_api.gateway.models import ModelList, Routes
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import PersonOf
from heliostat_api.web.provide import Provided

router = APIRouter(prefix="/api", route_class=CheckedRoute)


@router.get("/models")
async def list_models(routes: Provided[Routes], _: PersonOf) -> ModelList:
    """What an agent may name as its model; 503 while the gateway can't be asked."""
    return await routes.list()
