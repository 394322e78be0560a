"""The endpoints of schedules."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection

from heliostat_api.executions.schemas import Accepted
from heliostat_api.records.schedules import SchedulePreviewView
from heliostat_api.schedules.cloud_calls import CloudCalls, CloudHeaders, cloud_headers_of
from heliostat_api.schedules.previews import SchedulePreviewRequest, SchedulePreviews
from heliostat_api.web.auth_dependency import CheckedRoute, auth_dependency
from heliostat_api.web.credentials import read_bearer
from heliostat_api.web.dependencies import Correlation, PersonOf
from heliostat_api.web.provide import Provided, service_of
from heliostat_core.schedules.cloud_jobs import CloudCall

router = APIRouter(route_class=CheckedRoute)


@router.post("/schedules/preview")
async def preview_schedule(
    previews: Provided[SchedulePreviews],
    person: PersonOf,  # noqa: ARG001 - with a session only
    body: SchedulePreviewRequest,
) -> SchedulePreviewView:
    """A schedule in words, and its next times. Stores nothing."""
    return previews.look(body)


@auth_dependency(CloudCalls)
async def cloud_scheduler(connection: HTTPConnection) -> None:
    """Nobody else. Raises a problem with status 401, and ProviderAwayError."""
    await service_of(connection, CloudCalls).check(read_bearer(connection.headers))


@router.post(
    "/triggers/cloud-scheduler",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[Depends(cloud_scheduler)],
)
async def call_by_cloud_scheduler(
    calls: Provided[CloudCalls],
    body: CloudCall,
    headers: Annotated[CloudHeaders, Depends(cloud_headers_of)],
    correlation: Correlation,
) -> Accepted:
    """Google's Cloud Scheduler fires: with an OIDC token of its service account. The same job and
    time again is the same run; "run now" in the console is a run of its own."""
    return await calls.take(body, headers, correlation)
