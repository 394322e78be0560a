"""Schedules in words."""

import calendar

import pytest

from heliostat_core.schedules import Schedule, describe

SEOUL = "Asia/Seoul"


@pytest.mark.parametrize(
    ("schedule", "english", "korean"),
    [
        (
            {"frequency": "weekly", "time": "08:00", "timeZone": SEOUL},
            "every Monday at 08:00, Asia/Seoul",
            "매주 월요일 08:00 (Asia/Seoul)",
        ),
        ({"frequency": "daily", "time": "18:05"}, "every day at 18:05, UTC", "매일 18:05 (UTC)"),
        (
            {"frequency": "hourly", "time": "00:05"},
            "every hour at minute 05, UTC",
            "매시 5분 (UTC)",
        ),
        (
            {"frequency": "monthly", "monthDay": 31, "time": "09:00"},
            "on day 31 of every month, or its last day at 09:00, UTC",
            "매월 31일(없으면 말일) 09:00 (UTC)",
        ),
        (
            {"frequency": "monthly", "monthDay": 28, "time": "09:00"},
            "on day 28 of every month at 09:00, UTC",
            "매월 28일 09:00 (UTC)",
        ),
        ({"cron": "*/15 * * * *"}, "every 15 minutes, UTC", "15분마다 (UTC)"),
        ({"cron": "* * * * *"}, "every minute, UTC", "1분마다 (UTC)"),
        (
            {"cron": "0 8 * * 1-5"},
            "every day from Monday to Friday at 08:00, UTC",
            "평일(월~금) 08:00 (UTC)",
        ),
        (
            {"cron": "0,30 8,17 * * MON,5"},
            "every Monday and Friday at 08:00, 08:30, 17:00 and 17:30, UTC",
            "매주 월요일, 금요일 08:00, 08:30, 17:00, 17:30 (UTC)",
        ),
        ({"cron": "0 8 * * 0"}, "every Sunday at 08:00, UTC", "매주 일요일 08:00 (UTC)"),
        (
            {"cron": "0 8 L * *"},
            "on the last day of every month at 08:00, UTC",
            "매월 말일 08:00 (UTC)",
        ),
        (
            {"cron": "0 8 1 1 *"},
            "every year on January 1 at 08:00, UTC",
            "매년 1월 1일 08:00 (UTC)",
        ),
        ({"cron": "0 8 31 * *"}, "by cron 0 8 31 * *, UTC", "cron 0 8 31 * * (UTC)"),
        ({"cron": "*/7 * * * *"}, "by cron */7 * * * *, UTC", "cron */7 * * * * (UTC)"),
        (
            {"frequency": "daily", "time": "08:00", "timeZone": SEOUL, "daylightSaving": "UTC"},
            "every day at 08:00, UTC",
            "매일 08:00 (UTC)",
        ),
    ],
)
def test_a_schedule_is_said_in_both_languages(
    schedule: dict[str, object], english: str, korean: str
) -> None:
    model = Schedule.model_validate(schedule)
    assert (describe(model, "en"), describe(model, "ko")) == (english, korean)


def test_months_and_days_have_their_own_names() -> None:
    for number in range(1, 13):
        schedule = Schedule(cron=f"0 8 1 {number} *")
        assert calendar.month_name[number] in describe(schedule, "en")
        assert f"{number}월" in describe(schedule, "ko")
    for number in range(7):
        schedule = Schedule(cron=f"0 8 * * {number + 1}")
        assert calendar.day_name[number] in describe(schedule, "en")
        assert f"{'월화수목금토일'[number]}요일" in describe(schedule, "ko")
