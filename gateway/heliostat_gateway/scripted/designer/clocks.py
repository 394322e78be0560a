"""Finds a time of day in a person's words, Korean or English. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_ENGLISH_HOURS: Final = (
    "one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
)
_KOREAN_HOURS: Final = (
    "한 두 세 네 다섯 여섯 일곱 여덟 아홉 열 열한 열두".split()  # noqa: SIM905
)
_KOREAN_MINUTES: Final = {
    "오": 5, "십": 10, "십오": 15, "이십": 20, "이십오": 25, "삼십": 30,
    "삼십오": 35, "사십": 40, "사십오": 45, "오십": 50, "오십오": 55,
}  # fmt: skip
_MINUTE = r"\d{1,2}|" + "|".join(sorted(_KOREAN_MINUTES, key=len, reverse=True))
_AFTERNOON: Final = frozenset({"pm", "afternoon", "evening", "night", "오후", "저녁", "밤"})
_MORNING: Final = frozenset({"am", "morning", "오전", "아침", "새벽"})
_TONIGHT: Final = frozenset({"night", "밤"})
_PART = r"in the (?P<part>morning|afternoon|evening)|at (?P<late>night)"
_HALF = r"(?P<half>{0})\s*(?P<hour>{1})\s*시(?:\s*(?P<minute>{2})\s*분|\s*(?P<thirty>반))?"
_HALVES = "오전|오후|아침|저녁|밤|새벽|낮"
_KOREAN_HOUR = r"\d{1,2}|" + "|".join(sorted(_KOREAN_HOURS, key=len, reverse=True))
_ENGLISH_HOUR = r"\d{1,2}|" + "|".join(_ENGLISH_HOURS)


@dataclass(frozen=True)
class Clock:
    """A time of day, `HH:MM`, and where in the text it stands."""

    time: str
    span: tuple[int, int]


def find_clock(text: str) -> Clock | None:
    """The first time of day that the text names."""
    found = [
        Clock(time, match.span())
        for pattern, read in _WAYS
        if (match := pattern.search(text)) and (time := read(match)) is not None
    ]
    return min(found, key=lambda each: (each.span[0], -each.span[1]), default=None)


def _read_parts(match: re.Match[str]) -> str | None:
    named = match.groupdict()
    hour = _number(named["hour"])
    minute = 30 if named.get("thirty") else _minute(named.get("minute") or "0")
    if said := (named.get("past") or "").lower():
        hour, minute = {"half past": (hour, 30), "quarter past": (hour, 15)}.get(
            said, ((hour - 1) % 24, 45)
        )
    half = (named.get("half") or named.get("part") or named.get("late") or "").lower()
    return _written(_hour_of_day(hour, half.replace(".", "")), minute)


def _hour_of_day(hour: int, half: str) -> int:
    """`12 am` and `밤 12시` are midnight; a half of the day says nothing beyond 12 o'clock."""
    if hour > 12:
        return hour
    if half in _MORNING or (hour == 12 and half in _TONIGHT):
        return hour % 12
    if half in _AFTERNOON or (half == "낮" and hour < 7):
        return hour % 12 + 12
    return hour


def _minute(text: str) -> int:
    return int(text) if text.isdecimal() else _KOREAN_MINUTES[text]


def _number(text: str) -> int:
    for words in (_ENGLISH_HOURS, _KOREAN_HOURS):
        if text.lower() in words:
            return words.index(text.lower()) + 1
    return int(text)


def _written(hour: int, minute: int) -> str | None:
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None


def _always(time: str) -> Callable[[re.Match[str]], str | None]:
    return lambda _: time


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_WAYS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]], ...]] = (
    (_pattern(rf"{_HALF.format(_HALVES, _KOREAN_HOUR, _MINUTE)}(?:쯤|경)?에?"), _read_parts),
    (
        _pattern(
            rf"(?<![\d가-힣])(?P<hour>{_KOREAN_HOUR})\s*시(?!간)"
            rf"(?:\s*(?P<minute>{_MINUTE})\s*분|\s*(?P<thirty>반))?(?:쯤|경)?에?"
        ),
        _read_parts,
    ),
    (
        _pattern(
            r"(?:\bat\s+|\baround\s+)?(?<![\d:])(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*"
            r"(?P<half>[ap]\.?m\b\.?)"
        ),
        _read_parts,
    ),
    (
        _pattern(
            r"\b(?:at\s+)?(?:a\s+)?(?P<past>half past|quarter past|quarter to)\s+"
            rf"(?P<hour>{_ENGLISH_HOUR})"
            rf"(?:\s*(?P<half>[ap]\.?m\b\.?)|\s+{_PART})?(?![\w:])"
        ),
        _read_parts,
    ),
    (
        _pattern(
            rf"\bat\s+(?P<hour>{_ENGLISH_HOUR})(?::(?P<minute>\d{{2}}))?(?:\s*o'clock)?\s+(?:{_PART})\b"
        ),
        _read_parts,
    ),
    (
        _pattern(
            r"(?:\bat\s+|\baround\s+)?(?<![\d:])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?![\d:])"
            r"(?:\s*에)?"
        ),
        _read_parts,
    ),
    (
        _pattern(rf"\bat\s+(?P<hour>{_ENGLISH_HOUR})\b(?!\s*(?:%|percent|:))(?:\s*o'clock)?"),
        _read_parts,
    ),
    (_pattern(r"(?:\bat\s+)?\b(?:noon|midday)\b|정오에?"), _always("12:00")),
    (_pattern(r"(?:\bat\s+)?\bmidnight\b|자정에?"), _always("00:00")),
)
