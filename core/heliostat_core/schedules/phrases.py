"""What each language says of the parts of a schedule. A further language is a further class."""

from typing import Protocol

from heliostat_core.schedules.model import WEEKDAYS

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_KOREAN_WEEKDAYS = ("월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일")
_SHORTEST_MONTH = 28


class Phrases(Protocol):
    """`days` is what one of the first methods said; empty for every day."""

    def from_monday_to_friday(self) -> str: ...
    def on_weekdays(self, numbers: list[int]) -> str:
        """Monday is 0."""

    def on_day(self, day: int) -> str:
        """Of each month."""

    def on_last_day(self) -> str: ...
    def on_date(self, month: int, day: int) -> str: ...
    def at(self, times: list[str], days: str) -> str: ...
    def every_minutes(self, minutes: int, days: str) -> str: ...
    def hourly(self, minute: int, days: str) -> str: ...
    def by_cron(self, expression: str) -> str: ...
    def never(self) -> str: ...
    def in_zone(self, said: str, zone: str) -> str: ...


class English:
    """`every Monday at 08:00, Asia/Seoul`"""

    def from_monday_to_friday(self) -> str:
        return "every day from Monday to Friday"

    def on_weekdays(self, numbers: list[int]) -> str:
        return f"every {_listed([WEEKDAYS[each] for each in numbers])}"

    def on_day(self, day: int) -> str:
        if day <= _SHORTEST_MONTH:
            return f"on day {day} of every month"
        return f"on day {day} of every month, or its last day"

    def on_last_day(self) -> str:
        return "on the last day of every month"

    def on_date(self, month: int, day: int) -> str:
        return f"every year on {_MONTHS[month - 1]} {day}"

    def at(self, times: list[str], days: str) -> str:
        return f"{days or 'every day'} at {_listed(times)}"

    def every_minutes(self, minutes: int, days: str) -> str:
        said = "every minute" if minutes == 1 else f"every {minutes} minutes"
        return f"{said}, {days}" if days else said

    def hourly(self, minute: int, days: str) -> str:
        said = f"every hour at minute {minute:02}"
        return f"{said}, {days}" if days else said

    def by_cron(self, expression: str) -> str:
        return f"by cron {expression}"

    def never(self) -> str:
        return "never"

    def in_zone(self, said: str, zone: str) -> str:
        return f"{said}, {zone}"


class Korean:
    """`매주 월요일 08:00 (Asia/Seoul)`"""

    def from_monday_to_friday(self) -> str:
        return "평일(월~금)"

    def on_weekdays(self, numbers: list[int]) -> str:
        return f"매주 {', '.join(_KOREAN_WEEKDAYS[each] for each in numbers)}"

    def on_day(self, day: int) -> str:
        return f"매월 {day}일" if day <= _SHORTEST_MONTH else f"매월 {day}일(없으면 말일)"

    def on_last_day(self) -> str:
        return "매월 말일"

    def on_date(self, month: int, day: int) -> str:
        return f"매년 {month}월 {day}일"

    def at(self, times: list[str], days: str) -> str:
        return f"{days or '매일'} {', '.join(times)}"

    def every_minutes(self, minutes: int, days: str) -> str:
        said = "1분마다" if minutes == 1 else f"{minutes}분마다"
        return f"{days} {said}" if days else said

    def hourly(self, minute: int, days: str) -> str:
        said = f"매시 {minute}분"
        return f"{days} {said}" if days else said

    def by_cron(self, expression: str) -> str:
        return f"cron {expression}"

    def never(self) -> str:
        return "실행 안 함"

    def in_zone(self, said: str, zone: str) -> str:
        return f"{said} ({zone})"


def _listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`"""
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
