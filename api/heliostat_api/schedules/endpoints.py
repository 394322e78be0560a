"""The endpoints of schedules."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from heliostat_api.executions.commands import Accepted
from heliostat_api.schedules.cloud_calls import CloudHeaders, cloud_headers_of
from heliostat_api.schedules.previews import SchedulePreviewRequest
from heliostat_api.schedules.views import SchedulePreviewView
from heliostat_api.serving.asking import Correlation, PartsOf, PersonOf
from heliostat_api.serving.credentials import read_bearer
from heliostat_core.schedules.cloud_jobs import CloudCall

schedules = APIRouter()


@schedules.post("/schedules/preview")
async def preview_schedule(
    parts: PartsOf,
    person: PersonOf,  # noqa: ARG001 - with a session only
    body: SchedulePreviewRequest,
) -> SchedulePreviewView:
    """A schedule in words, and its next times. Stores nothing."""
    return parts.schedules.look(body)


async def check_cloud_scheduler(parts: PartsOf, request: Request) -> None:
    """Before anything else of the request is looked at."""
    await parts.cloud_calls.check(read_bearer(request.headers))


@schedules.post(
    "/triggers/cloud-scheduler",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[Depends(check_cloud_scheduler)],
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
