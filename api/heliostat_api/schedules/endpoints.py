"""The endpoint of schedules."""

from fastapi import APIRouter

from heliostat_api.schedules.previews import SchedulePreviewRequest
from heliostat_api.schedules.views import SchedulePreviewView
from heliostat_api.serving.asking import PartsOf, PersonOf

schedules = APIRouter(prefix="/schedules")


@schedules.post("/preview")
async def preview_schedule(
    parts: PartsOf,
    person: PersonOf,  # noqa: ARG001 - with a session only
    body: SchedulePreviewRequest,
) -> SchedulePreviewView:
    """A schedule in words, and its next times. Stores nothing."""
    return parts.schedules.look(body)
