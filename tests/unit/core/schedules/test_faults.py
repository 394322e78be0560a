"""What is wrong with a schedule, and what to do about it."""

from datetime import UTC, datetime

import pytest

from heliostat_core.agents import AgentSpec
from heliostat_core.schedules import Blackout, Schedule, faults_of
from heliostat_core.schedules.faults import never_comes
from support.crd_cases import SCHEDULE_CASES, Case

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAILY = {"frequency": "daily"}


@pytest.mark.parametrize(
    ("schedule", "field", "remedy"),
    [
        ({**DAILY, "timeZone": "Asia/Seol"}, "timeZone", "for example Asia/Seoul"),
        ({"cron": "0 0 31 4 *"}, "cron", "For example `0 8 * * 1-5`"),
        ({"cron": "0 9-8 * * *"}, "cron", "For example `0 8 * * 1-5`"),
        ({}, "", "must set exactly one of cron and frequency"),
        ({**DAILY, "weekday": "Monday"}, "weekday", "Leave it out"),
        ({**DAILY, "monthDay": 1}, "monthDay", "Leave it out"),
        ({"cron": "0 8 * * *", "time": "08:00"}, "time", "Leave it out"),
        ({**DAILY, "blackouts": [{}]}, "blackouts[0]", "must set startTime and endTime"),
        (
            {
                **DAILY,
                "blackouts": [
                    {
                        "startTime": "2026-01-01T00:00:00Z",
                        "endTime": "2026-01-02T00:00:00Z",
                        "cron": "0 0 * * *",
                    }
                ],
            },
            "blackouts[0]",
            "must set startTime and endTime",
        ),
        (
            {**DAILY, "blackouts": [{"startTime": str(NOW), "endTime": str(NOW)}]},
            "blackouts[0].endTime",
            "must be after startTime",
        ),
        (
            {**DAILY, "blackouts": [{"startTime": str(NOW), "endTime": "2025-12-31T23:59:59Z"}]},
            "blackouts[0].endTime",
            "must be after startTime",
        ),
        (
            {**DAILY, "blackouts": [{"cron": "0 0 30 2 *", "durationSeconds": 60}]},
            "blackouts[0].cron",
            "no date that ever comes",
        ),
        (
            {**DAILY, "blackouts": [{"cron": "0 * * * *", "durationSeconds": 3600}]},
            "blackouts",
            "Take one out",
        ),
    ],
)
def test_a_fault_names_its_field_and_the_remedy(
    schedule: dict[str, object], field: str, remedy: str
) -> None:
    found = faults_of(Schedule.model_validate(schedule))
    assert [each.field for each in found] == [field]
    assert remedy in found[0].message


@pytest.mark.parametrize("case", SCHEDULE_CASES, ids=[case.name for case in SCHEDULE_CASES])
def test_the_faults_are_those_of_the_api_server(case: Case) -> None:
    spec = AgentSpec.model_validate(case.spec)
    assert spec.schedule is not None
    assert bool(faults_of(spec.schedule)) == (case.refused_at is not None)


def test_a_schedule_that_will_run_has_no_fault() -> None:
    assert never_comes(Schedule(cron="0 0 29 2 *"), NOW) is None


@pytest.mark.parametrize(
    ("cron", "zone", "blackout", "seconds"),
    [
        ("* * * * *", "UTC", "0 0 * * 1", 86_400),
        ("* * * * *", "UTC", "0 0 1 * *", 86_400),
        ("*/5 * * * *", "UTC", "0 0 1 1 *", 7 * 86_400),
        ("*/5 9-17 * * *", "Asia/Seoul", "0 0 1 1 *", 31 * 86_400),
        ("0 0 29 2 *", "UTC", "0 0 * * 1-6", 86_400),  # in 2032
    ],
)
def test_a_blackout_that_leaves_some_time_is_no_fault(
    cron: str, zone: str, blackout: str, seconds: int
) -> None:
    pause = Blackout(cron=blackout, duration_seconds=seconds)
    assert never_comes(Schedule(cron=cron, time_zone=zone, blackouts=(pause,)), NOW) is None


@pytest.mark.parametrize(
    ("cron", "blackouts"),
    [
        ("* * * * *", {"* * * * *": 60}),
        ("0 2 * * *", {"0 22 * * *": 8 * 3_600}),
        ("*/5 * * * *", {"0 0 * * 1-5": 86_400, "0 0 * * 6": 2 * 86_400}),
        ("0 0 29 2 *", {"0 0 1 2 *": 29 * 86_400}),
    ],
)
def test_blackouts_that_leave_no_time_are_a_fault(cron: str, blackouts: dict[str, int]) -> None:
    pauses = tuple(Blackout(cron=each, duration_seconds=for_) for each, for_ in blackouts.items())
    [fault] = faults_of(Schedule(cron=cron, time_zone="Asia/Seoul", blackouts=pauses))
    assert fault.field == "blackouts"


def test_a_date_that_never_comes_is_named() -> None:
    assert "schedule.cron: '0 0 30 2 *' names no date" in str(
        never_comes(Schedule(cron="0 0 30 2 *"), NOW)
    )
