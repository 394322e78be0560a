"""The endpoints of schedules."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection

from heliostat_api.app.parts import parts_of
from heliostat_api.executions.commands import Accepted
from heliostat_api.records.schedule_views import SchedulePreviewView
from heliostat_api.schedules.cloud_calls import CloudHeaders, cloud_headers_of
from heliostat_api.schedules.previews import SchedulePreviewRequest
from heliostat_api.web.auth_dependency import CheckedRoute, Door
from heliostat_api.web.credentials import read_bearer
from heliostat_api.web.dependencies import Correlation, PartsOf, PersonOf
from heliostat_core.schedules.cloud_jobs import CloudCall

schedules = APIRouter(route_class=CheckedRoute)


@schedules.post("/schedules/preview")
async def preview_schedule(
    parts: PartsOf,
    person: PersonOf,  # noqa: ARG001 - with a session only
    body: SchedulePreviewRequest,
) -> SchedulePreviewView:
    """A schedule in words, and its next times. Stores nothing."""
    return parts.schedules.look(body)


@Door
async def cloud_scheduler(connection: HTTPConnection) -> None:
    """Nobody else. Raises a problem with status 401, and ProviderAwayError."""
    await parts_of(connection).cloud_calls.check(read_bearer(connection.headers))


@schedules.post(
    "/triggers/cloud-scheduler",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[Depends(cloud_scheduler)],
)
async def call_by_cloud_scheduler(
    parts: PartsOf,
    body: CloudCall,
    headers: Annotated[CloudHeaders, Depends(cloud_headers_of)],
    correlation: Correlation,
) -> Accepted:
    """Google's Cloud Scheduler fires: with an OIDC token of its service account. The same job and
    time again is the same run; "run now" in the console is a run of its own."""
    return await parts.cloud_calls.take(body, headers, correlation)
