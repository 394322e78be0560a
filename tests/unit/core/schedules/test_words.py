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


@pytest.mark.parametrize(
    ("cron", "english", "korean"),
    [
        ("0 8 * * MON-FRI", "every day from Monday to Friday at 08:00", "평일(월~금) 08:00"),
        (
            "5 * * * 1-5",
            "every hour at minute 05, every day from Monday to Friday",
            "평일(월~금) 매시 5분",
        ),
        ("*/30 * 1 * *", "every 30 minutes, on day 1 of every month", "매월 1일 30분마다"),
        ("* * * * 0", "every minute, every Sunday", "매주 일요일 1분마다"),
        ("*/60 * * * *", "every 60 minutes", "60분마다"),
        (
            "0 1,2,3,4,5,6 * * *",
            "every day at 01:00, 02:00, 03:00, 04:00, 05:00 and 06:00",
            "매일 01:00, 02:00, 03:00, 04:00, 05:00, 06:00",
        ),
        ("0 8 28 * *", "on day 28 of every month at 08:00", "매월 28일 08:00"),
        ("0 8 29 2 *", "every year on February 29 at 08:00", "매년 2월 29일 08:00"),
        ("0 8 * * 7,SUN,0", "every Sunday at 08:00", "매주 일요일 08:00"),
        (
            "0 8 * * TUE,WED,THU,SAT",
            "every Tuesday, Wednesday, Thursday and Saturday at 08:00",
            "매주 화요일, 수요일, 목요일, 토요일 08:00",
        ),
    ],
)
def test_a_cron_that_people_can_say_is_said(cron: str, english: str, korean: str) -> None:
    schedule = Schedule(cron=cron)
    assert (describe(schedule, "en"), describe(schedule, "ko")) == (
        f"{english}, UTC",
        f"{korean} (UTC)",
    )


@pytest.mark.parametrize(
    "cron",
    [
        "0 1,2,3,4,5,6,7 * * *",  # more times than one reads
        "1,2 * * * *",
        "*/45 * * * *",  # begins anew with each hour
        "0-5 8 * * *",
        "0 */2 * * *",
        "* 8 * * *",
        "0 8 29 * *",  # a month that has no such day is left out
        "0 8 1,2 * *",
        "0 8 LW * *",
        "0 8 L 2 *",
        "0 8 L * 1",
        "0 8 1 JAN *",
        "0 8 1 * 1",
        "0 8 1 1 1",
        "0 8 * 2 1",
        "0 8 * * 1-3",
        "0 8 * * 5L",
        "0 8 * * 1#2",
    ],
)
def test_what_only_cron_says_exactly_is_said_as_cron(cron: str) -> None:
    schedule = Schedule(cron=cron)
    assert describe(schedule, "en") == f"by cron {cron}, UTC"
    assert describe(schedule, "ko") == f"cron {cron} (UTC)"


@pytest.mark.parametrize(
    ("schedule", "english"),
    [
        ({"frequency": "monthly"}, "on day 1 of every month at 00:00, UTC"),
        ({"frequency": "hourly"}, "every hour at minute 00, UTC"),
        ({"frequency": "daily"}, "every day at 00:00, UTC"),
        ({"frequency": "weekly"}, "every Monday at 00:00, UTC"),
        ({"frequency": "weekly", "weekday": "Friday"}, "every Friday at 00:00, UTC"),
        ({}, "never, UTC"),
    ],
)
def test_what_a_schedule_leaves_out_has_its_default(
    schedule: dict[str, object], english: str
) -> None:
    assert describe(Schedule.model_validate(schedule), "en") == english
