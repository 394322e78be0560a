"""The endpoints of money: a table of contents, each one call."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from heliostat_api.gateway.usage import By, Period, UsageReport
from heliostat_api.serving.asking import PartsOf, PersonOf

money = APIRouter()


@money.get("/usage")
async def read_usage(
    parts: PartsOf,
    person: PersonOf,
    by: By = "day",
    since: Annotated[date | None, Query(alias="from", description="The first day.")] = None,
    until: Annotated[date | None, Query(alias="to", description="The last day, included.")] = None,
    time_zone: Annotated[str, Query(alias="timeZone", max_length=64)] = "UTC",
) -> UsageReport:
    """What your chat, your runs and your keys cost; this month, unless you say otherwise."""
    return await parts.usage.report(person, by, Period(since, until, time_zone))
