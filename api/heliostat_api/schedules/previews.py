"""What a schedule means, before anybody saves it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from heliostat_api.base.field_errors import required
from heliostat_api.base.views import View
from heliostat_api.records.contents import Spec, judge_model
from heliostat_api.records.schedules import SchedulePreviewView, faults_in, look_ahead
from heliostat_api.web.problems import refused
from heliostat_core.schedules import Schedule


class SchedulePreviewRequest(View):
    """A schedule as in the spec of an Agent, and how many of its times to name."""

    schedule: Spec
    count: Annotated[int, Field(ge=1, le=50)] = 10


@dataclass(frozen=True)
class SchedulePreviews:
    """Stores nothing and asks nobody."""

    clock: Callable[[], datetime]

    def look(self, request: SchedulePreviewRequest) -> SchedulePreviewView:
        """Raises a problem with status 422 that names every wrong field with the remedy."""
        judgement = judge_model(Schedule, request.schedule, "schedule")
        missing = [required(each) for each in judgement.missing]
        faults = (*judgement.faults, *missing, *faults_in(dict(request.schedule), "schedule"))
        if faults:
            raise refused(faults)
        schedule = Schedule.model_validate(request.schedule)
        return look_ahead(schedule, self.clock(), request.count)
