"""Finds what stands beside a time or a day: another one, of which an agent has none. Pure."""

import re
from typing import Final

from heliostat_gateway.scripted.designer.clocks import find_clock

_AND = r"(?:,|/|&|~|-|–|\b(?:and|or|to|until)\b|와|과|하고|이랑|랑|및|그리고|부터|에서|서)"
_JOINED: Final = re.compile(rf"(?:\s*{_AND})+\s*", re.IGNORECASE)
_NTH = r"\d{1,2}(?:st|nd|rd|th)\b"
_DAY: Final = re.compile(
    rf"(?:on\s+)?(?:every\s+|each\s+)?(?:the\s+)?(?:{_NTH}|last\s+day\b|(?:mon|tues|wednes|thurs|fri"
    r"|satur|sun)days?\b)|(?:매주\s*|매월\s*|매달\s*)?(?:[월화수목금토일]요일|말일|\d{1,2}\s*일"
    r"(?!\s*(?:치|간|동안|전|후|분|뒤|이내)))(?:에|마다)?",
    re.IGNORECASE,
)
_HOUR_ALONE: Final = re.compile(r"\d{1,2}(?=\s*(?:[,.;!?]|$|every\b|each\b|on\b))", re.IGNORECASE)
_BEFORE: Final = re.compile(
    rf"(?:on\s+)?(?:the\s+)?{_NTH}\s*(?:,|&|\band\b|\bor\b)\s*(?:the\s+)?(?:{_NTH}\s+of\s+)?$",
    re.IGNORECASE,
)


def widen_to_beside(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """With the times and days that stand beside it; the same where there are none."""
    before = _BEFORE.search(text[: span[0]])
    start, end = before.start() if before else span[0], span[1]
    while (joined := _JOINED.match(text, end)) and (more := _end_of_one(text, joined.end())):
        end = more
    return start, end


def _end_of_one(text: str, start: int) -> int:
    """Where a day, a time, or both end that stand there; 0 where there is neither."""
    day = _DAY.match(text, start)
    end = day.end() if day else start
    at = end + (len(text[end:]) - len(text[end:].lstrip()))
    clock = find_clock(text[at:])
    if clock is not None and clock.span[0] == 0:
        return at + clock.span[1]
    alone = _HOUR_ALONE.match(text, start)
    return end if day else alone.end() if alone else 0
