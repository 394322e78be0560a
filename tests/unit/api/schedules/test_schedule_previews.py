"""What people are told of a schedule before it is saved."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from heliostat_api.records.contents import Content, judge
from heliostat_api.records.manifests import without_schedule
from heliostat_api.records.schedules import starts_in_a_month, view_recent
from heliostat_api.schedules.previews import SchedulePreviewRequest, SchedulePreviews
from heliostat_api.web.problems import ProblemError
from heliostat_core.conditions import TickReason
from heliostat_core.schedules import Blackout, Schedule
from heliostat_core.schedules.status import Receipt, RunResult, ScheduleStatus

NOW = datetime(2026, 10, 30, 12, tzinfo=UTC)
PREVIEWS = SchedulePreviews(lambda: NOW)


def test_a_preview_has_words_times_and_what_is_special() -> None:
    schedule = {
        "frequency": "daily",
        "time": "01:30",
        "timeZone": "America/New_York",
        "blackouts": [
            {
                "reason": "books close",
                "startTime": "2026-11-02T00:00:00Z",
                "endTime": "2026-11-03T00:00:00Z",
            }
        ],
    }
    found = PREVIEWS.look(SchedulePreviewRequest(schedule=schedule, count=4))
    assert found.model_dump(mode="json", by_alias=True) == {
        "words": {
            "en": "every day at 01:30, America/New_York",
            "ko": "매일 01:30 (America/New_York)",
        },
        "timeZone": "America/New_York",
        "fires": [
            {
                "time": "2026-10-31T05:30:00Z",
                "local": "2026-10-31T01:30:00-04:00",
                "note": None,
                "reason": "",
            },
            {
                "time": "2026-11-01T05:30:00Z",
                "local": "2026-11-01T01:30:00-04:00",
                "note": "FirstOfTwo",
                "reason": "",
            },
            {
                "time": "2026-11-02T06:30:00Z",
                "local": "2026-11-02T01:30:00-05:00",
                "note": "Blackout",
                "reason": "books close",
            },
            {
                "time": "2026-11-03T06:30:00Z",
                "local": "2026-11-03T01:30:00-05:00",
                "note": None,
                "reason": "",
            },
        ],
    }


@pytest.mark.parametrize(
    ("schedule", "field", "remedy"),
    [
        ({"frequency": "daily", "timeZone": "Asia/Seol"}, "schedule.timeZone", "Asia/Seoul"),
        ({"cron": "0 0 31 4 *"}, "schedule.cron", "For example"),
        ({"cron": "61 * * * *"}, "schedule.cron", "five fields"),
        ({"frequency": "daily", "tiem": "08:00"}, "schedule.tiem", "there is no such field"),
        ({}, "schedule", "must set exactly one of cron and frequency"),
    ],
)
def test_a_schedule_that_can_not_run_is_refused_with_the_remedy(
    schedule: dict[str, str], field: str, remedy: str
) -> None:
    with pytest.raises(ProblemError) as caught:
        PREVIEWS.look(SchedulePreviewRequest(schedule=schedule))
    assert [each.field for each in caught.value.errors] == [field]
    assert remedy in caught.value.errors[0].message


def test_a_draft_without_prompt_has_its_schedule_judged_all_the_same() -> None:
    found = judge({"schedule": {"frequency": "daily", "timeZone": "Asia/Seol"}})
    assert found.missing == ("spec.prompt",)
    assert [each.field for each in found.faults] == ["spec.schedule.timeZone"]


def test_a_test_run_has_no_schedule() -> None:
    content = Content(name="a", spec={"prompt": "x", "schedule": {"frequency": "daily"}})
    assert without_schedule(content).spec == {"prompt": "x"}


@pytest.mark.parametrize(
    ("schedule", "starts"),
    [
        (Schedule(frequency="daily"), 30),
        (Schedule(cron="* * * * *"), 43_200),
        (Schedule(frequency="daily", suspend=True), 0),
        (Schedule(cron="0 0 29 2 *"), 0),
        (
            Schedule(
                frequency="daily",
                time="08:00",
                blackouts=(Blackout(cron="0 0 * * 0,6", duration_seconds=86_400),),
            ),
            20,
        ),
    ],
)
def test_the_starts_of_a_month_are_counted(schedule: Schedule, starts: int) -> None:
    assert starts_in_a_month(schedule, NOW) == starts


SATURDAY, MONDAY = datetime(2026, 11, 21, 1, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC)
WEEKEND = Blackout(cron="0 0 * * 6", duration_seconds=2 * 86_400)
NIGHT = Blackout(cron="0 20 * * *", duration_seconds=12 * 3_600)


@pytest.mark.parametrize(
    ("schedule", "now", "starts"),
    [
        (Schedule(cron="*/5 * * * *", blackouts=(WEEKEND,)), SATURDAY, 5_773),
        (Schedule(cron="*/5 * * * *", blackouts=(WEEKEND,)), MONDAY, 6_336),
        (Schedule(cron="* * * * *", blackouts=(NIGHT,)), MONDAY, 21_600),
        (Schedule(cron="* * * * *", blackouts=(NIGHT, WEEKEND)), MONDAY, 15_840),
        (Schedule(cron="* 9-13 * * *"), MONDAY, 9_000),
        (Schedule(cron="*/5 9-17 * * 1-5"), MONDAY, 2_376),
        (Schedule(cron="*/2 0-9 1 * *"), MONDAY, 300),
    ],
)
def test_the_starts_of_a_month_are_counted_whenever_it_begins(
    schedule: Schedule, now: datetime, starts: int
) -> None:
    assert starts_in_a_month(schedule, now) == starts


@pytest.mark.parametrize("result", [None, *get_args(RunResult)])
def test_whatever_became_of_a_scheduled_run_is_shown(result: RunResult | None) -> None:
    receipt = Receipt(
        scheduled_time=NOW,
        outcome="Ran",
        reason=TickReason.ON_TIME,
        time=NOW,
        execution_name="sales-1",
        result=result,
    )
    [shown] = view_recent(ScheduleStatus(decided_time=NOW, recent=(receipt,)))
    assert (shown.execution, shown.result) == ("sales-1", result)
