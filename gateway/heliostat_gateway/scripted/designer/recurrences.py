"""Finds in a person's words how often something shall happen, Korean or English. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from heliostat_json.objects import JsonObject

_WEEKDAYS: Final = (
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
)
_LETTERS: Final = "월화수목금토일"
_ENGLISH_DAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|(?:mon|tues?|wed|thu|thurs?|fri|sat|sun)\b)"
)
_DAYS_ALONE: Final = rf"^(?=[a-z]+days\b|{_ENGLISH_DAY}(?:\s*,\s*|\s*,?\s*and\s+){_ENGLISH_DAY})"
"""`Mondays` and `Mon, Wed` begin a sentence; `Sun` and `Monday` may be anything."""
_KOREAN_COUNTS: Final = "한 두 세 네 다섯 여섯".split()  # noqa: SIM905
_MINUTES_AN_HOUR, _HOURS_A_DAY = 60, 24
_LAST_DAY: Final = 31  # the product takes the last day of shorter months


@dataclass(frozen=True)
class Recurrence:
    """How often. `span` is where the words stand, `hour` what they suggest by themselves."""

    frequency: str = "daily"
    weekdays: tuple[str, ...] = ()
    month_day: int | None = None
    cron: str = ""
    """For what no frequency can say; `{minute}` and `{hour}` are filled in."""
    hour: str = ""
    span: tuple[int, int] = (0, 0)

    @property
    def needs_time(self) -> bool:
        """Whether a time of day belongs to it."""
        return self.frequency != "hourly" and (not self.cron or "{hour}" in self.cron)


def find_recurrence(text: str) -> Recurrence | None:
    """The first recurrence that the text names, the longest where two begin together."""
    found = [each for way in _WAYS if (each := way(text)) is not None]
    return min(found, key=lambda each: (_rank(each), each.span[0], -each.span[1]), default=None)


def build_schedule(recurrence: Recurrence, time: str, zone: str) -> JsonObject:
    """An Agent's `spec.schedule`; without `timeZone` the person's holds."""
    hour, _, minute = time.partition(":")
    schedule: dict[str, JsonValue] = {}
    if recurrence.cron:
        schedule["cron"] = recurrence.cron.format(hour=int(hour), minute=int(minute))
    else:
        schedule["frequency"] = recurrence.frequency
        if recurrence.needs_time:
            schedule["time"] = time
        if recurrence.weekdays:
            schedule["weekday"] = recurrence.weekdays[0]
        if recurrence.month_day is not None:
            schedule["monthDay"] = recurrence.month_day
    return schedule | ({"timeZone": zone} if zone else {})


def _rank(found: Recurrence) -> int:
    """`every Monday morning` is weekly: whatever names days is more than `morning`."""
    return 1 if found.frequency == "daily" and not found.cron else 0


def _intervals(text: str) -> Recurrence | None:
    part = re.search(r"\bevery (?P<half>half|quarter)(?: an| of an)? hour\b", text, re.IGNORECASE)
    if part is not None:
        count = 30 if part["half"].lower() == "half" else 15
        return Recurrence(cron=f"*/{count} * * * *", frequency="interval", span=part.span())
    match = re.search(
        r"\bevery (?P<count>\d{1,3}) (?P<unit>minute|hour)s?\b"
        rf"|(?P<n>\d{{1,3}}|(?<![가-힣])(?:{'|'.join(_KOREAN_COUNTS)}))\s*(?P<u>분|시간)\s*(?:마다|간격으로)",
        text,
        re.IGNORECASE,
    )
    if match is None:
        return None
    said = match["count"] or match["n"]
    count = _KOREAN_COUNTS.index(said) + 1 if said in _KOREAN_COUNTS else int(said)
    in_minutes = (match["unit"] or match["u"]).lower() in ("minute", "분")
    whole = _MINUTES_AN_HOUR if in_minutes else _HOURS_A_DAY
    if count == 0 or whole % count or count == whole:
        return None  # cron can't say it evenly
    cron = f"*/{count} * * * *" if in_minutes else f"0 */{count} * * *"
    return Recurrence(cron=cron, frequency="interval", span=match.span())


def _hourly(text: str) -> Recurrence | None:
    match = re.search(
        r"\b(?:every hour|hourly)\b|매\s*시간(?:\s*정각에?)?|(?:한\s*)?시간마다",
        text,
        re.IGNORECASE,
    )
    return Recurrence("hourly", span=match.span()) if match else None


def _working_days(text: str) -> Recurrence | None:
    match = re.search(
        r"\b(?:every|each|on)\s+(?:weekday|working day|business day|workday)s?"
        r"(?P<part>\s+(?:morning|evening|afternoon))?\b"
        r"|(?:매\s*)?평일(?:\s*마다)?(?P<half>\s*(?:아침|저녁))?(?:에)?",
        text,
        re.IGNORECASE,
    )
    if match is None:
        return None
    hour = _suggested(match["part"] or match["half"] or "")
    return Recurrence("weekly", cron="{minute} {hour} * * 1-5", hour=hour, span=match.span())


def _weekends(text: str) -> Recurrence | None:
    match = re.search(
        r"\b(?:(?:every|each)\s+weekend|(?:on|at)\s+weekends)\b|주말\s*마다|(?:매주|매)\s*주말(?:에)?",
        text,
        re.IGNORECASE,
    )
    return _on_days(("Saturday", "Sunday"), "", match.span()) if match else None


def _weekly(text: str) -> Recurrence | None:
    return _english_days(text) or _korean_days(text) or _once_a_week(text)


def _english_days(text: str) -> Recurrence | None:
    match = re.search(
        rf"(?:\b(?:every|each|on)\s+|{_DAYS_ALONE})(?P<days>{_ENGLISH_DAY}(?:(?:\s*,\s*|\s*,?\s*and\s+){_ENGLISH_DAY})*)"
        r"(?P<part>\s+(?:morning|evening|afternoon))?\b",
        text,
        re.IGNORECASE,
    )
    if match is None:
        return None
    said = re.findall(_ENGLISH_DAY, match["days"], re.IGNORECASE)
    days = tuple(next(day for day in _WEEKDAYS if _begin_alike(day, each)) for each in said)
    return _on_days(days, _suggested(match["part"] or ""), match.span())


def _begin_alike(day: str, said: str) -> bool:
    return day[:3].lower() == said[:3].lower()


def _korean_days(text: str) -> Recurrence | None:
    match = re.search(
        rf"(?:매주|매\s*주마다|주마다)\s*(?P<days>[{_LETTERS}](?:요일)?(?:\s*[,·/]?\s*(?:과|와|이랑|하고)?\s*[{_LETTERS}](?:요일)?)*)"
        rf"(?=\s|에|마다|$)(?:마다|에)?|(?P<each>[{_LETTERS}]요일(?:\s*[,·/과와]\s*[{_LETTERS}]요일)*)\s*마다"
        rf"|^(?P<bare>[{_LETTERS}](?:요일)?(?:\s*[,·/]\s*[{_LETTERS}](?:요일)?)+)(?=\s|에)에?",
        text,
    )
    if match is None:
        return None
    letters = re.findall(rf"[{_LETTERS}](?=요일)", match[0]) or [
        letter for letter in (match["days"] or match["bare"] or "") if letter in _LETTERS
    ]
    days = tuple(_WEEKDAYS[_LETTERS.index(letter)] for letter in letters)
    return _on_days(days, "", match.span())


def _once_a_week(text: str) -> Recurrence | None:
    match = re.search(
        r"\b(?:every week|weekly|once a week)\b|매주|일주일에\s*한\s*번|주\s*1회",
        text,
        re.IGNORECASE,
    )
    return _on_days(("Monday",), "", match.span()) if match else None


def _on_days(days: tuple[str, ...], hour: str, span: tuple[int, int]) -> Recurrence:
    """One day is the friendly form, several are cron's."""
    if len(set(days)) == 1:
        return Recurrence("weekly", weekdays=days[:1], hour=hour, span=span)
    numbers = sorted({(_WEEKDAYS.index(each) + 1) % 7 for each in days})
    listed = ",".join(str(each) for each in numbers)
    return Recurrence("weekly", cron=f"{{minute}} {{hour}} * * {listed}", hour=hour, span=span)


def _monthly(text: str) -> Recurrence | None:
    match = re.search(
        r"\b(?:on )?(?:the )?first day of (?:every|each|the) month\b"
        r"|\b(?:on )?the (?P<day>\d{1,2})(?:st|nd|rd|th)? (?:day )?of (?:every|each|the) month\b"
        r"|\b(?:every month|monthly|once a month)(?: on the (?P<on>\d{1,2})(?:st|nd|rd|th)?)?\b"
        r"|\b(?:on )?the (?P<last>last day) of (?:every|each|the) month\b"
        r"|(?:매월|매달)\s*(?:(?P<date>\d{1,2})\s*일(?:에|마다)?|(?P<end>말일|마지막\s*날)(?:에|마다)?|(?:첫날|첫째\s*날)(?:에|마다)?)?",
        text,
        re.IGNORECASE,
    )
    if match is None:
        return None
    said = match["day"] or match["on"] or match["date"]
    is_last = bool(match["last"] or match["end"])
    day = _LAST_DAY if is_last else int(said or 1)
    if not 1 <= day <= _LAST_DAY:
        return None
    return Recurrence("monthly", month_day=day, span=match.span())


def _daily(text: str) -> Recurrence | None:
    match = re.search(
        r"\b(?:every|each)\s+(?P<part>day|morning|evening|afternoon|night)\b"
        r"|\b(?:daily|once a day)\b"
        r"|(?:매일|날마다|하루에?\s*한\s*번(?:씩)?)(?P<half>\s*(?:아침|저녁|밤))?(?:마다|에)?|(?P<only>아침|저녁)마다"
        r"|(?<=\d시)마다",
        text,
        re.IGNORECASE,
    )
    if match is None:
        return None
    hour = _suggested(match["part"] or match["half"] or match["only"] or "")
    return Recurrence("daily", hour=hour, span=match.span())


def _suggested(part: str) -> str:
    hours = {
        "morning": "08:00", "아침": "08:00", "afternoon": "15:00",
        "evening": "18:00", "저녁": "18:00", "night": "22:00", "밤": "22:00",
    }  # fmt: skip
    return hours.get(part.strip().lower(), "")


_WAYS: Final = (_intervals, _hourly, _working_days, _weekends, _weekly, _monthly, _daily)
