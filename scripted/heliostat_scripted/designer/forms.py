"""Reads a task, a name and a time from a person's words, by fixed forms alone. Pure.

The forms are in docs/scenarios.md. A form stands as a clause of its own; what is no form is the
task, word for word.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from heliostat_json.objects import JsonObject
from heliostat_scripted.scenario import Recording

COMMANDS: Final = {
    **dict.fromkeys(("test", "시험"), "run_test"),
    **dict.fromkeys(("result", "결과"), "read_result"),
    **dict.fromkeys(("cost", "비용"), "estimate_cost"),
    **dict.fromkeys(("models", "모델"), "list_models"),
}
_WEEKDAYS: Final = dict(
    zip(
        "월화수목금토일",
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_BEGIN, _END = r"(?:^|(?<=[,.;!?\n]))[ \t]*", r"[ \t]*(?:[,.;!?]|\n|$)"
_OPEN, _CLOSE = "[\"'“‘]", "[\"'”’]"
_WHEN: Final = re.compile(
    rf"{_BEGIN}(?:"
    rf"(?:every (?P<day>day|weekday|{'|'.join(_WEEKDAYS.values())}) at (?P<time>{_TIME})"
    rf"|(?P<hourly>every hour)"
    rf"|{_OPEN}(?P<cron>(?:[\d*,/-]+ ){{4}}[\d*,/A-Z-]+){_CLOSE}){_END}"
    rf"|(?:(?P<tag>매일|평일|매주 [{''.join(_WEEKDAYS)}]요일) (?P<clock>{_TIME})에?"
    rf"|(?P<hours>매시간))(?:[,.]|(?=\s)|$))",
    re.IGNORECASE,
)
_NAME: Final = re.compile(
    rf"{_BEGIN}(?:(?:name|call) it |이름은 )(?:{_OPEN}(?P<quoted>[^\"'“”‘’\n]{{1,60}}){_CLOSE}"
    rf"|(?P<plain>[^\"'“”‘’,.;!?\n]{{1,60}}?))(?:으?로 해 ?(?:줘|주세요))?{_END}",
    re.IGNORECASE,
)


_FILE: Final = re.compile(
    r"\b(?:csv|tsv|xlsx?|excel|spreadsheets?|attach(?:ed|ments?))\b"
    r"|\b(?:my|our|this|these|the following) (?:[\w'-]+ ){0,4}(?:files?|pdfs?|documents?|logs?)\b"
    r"|첨부|엑셀|스프레드시트|(?:내|우리|이) (?:\S+ ){0,3}(?:파일|문서|로그)",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(
    r"[$€₩] ?\d|\b\d[\d.,]* ?(?:cents?|dollars?|usd|tokens?|turns?)\b|\d ?(?:센트|달러|원|토큰)",
    re.IGNORECASE,
)


def speaks_of_a_file(task: str) -> bool:
    """Tells whether a task names something that its person has and a run has not."""
    return bool(_FILE.search(task))


def speaks_of_a_limit(task: str) -> bool:
    """Tells whether a task names an amount that may be meant as a limit."""
    return bool(_LIMIT.search(task))


@dataclass(frozen=True)
class Wish:
    """Holds what was read; empty texts and None stand for what was not said."""

    task: str = ""
    name: str = ""
    schedule: JsonObject | None = None
    command: str = ""
    """The tool that is asked for, and nothing else is."""
    is_ambiguous: bool = False
    """More than one time was named, and an agent has one."""


def read_wish(said: str, recordings: Iterable[Recording]) -> Wish:
    """Reads any words: a recording, a command, or forms and the text between them."""
    for each in recordings:
        if each.said == said.strip():
            return Wish(each.task, each.name, each.schedule)
    if command := COMMANDS.get(said.strip(" .!?\n").lower()):
        return Wish(command=command)
    names = list(_NAME.finditer(said))
    unnamed = _NAME.sub(" ", said)
    times = list(_WHEN.finditer(unnamed))
    is_one_word = len(said.split()) < 2  # a greeting: it is asked back
    return Wish(
        task="" if is_one_word else _WHEN.sub(" ", unnamed).strip(" \t\n,;"),
        name=(names[-1]["quoted"] or names[-1]["plain"]).strip() if names else "",
        schedule=_schedule(times[0]) if times else None,
        is_ambiguous=len(times) > 1,
    )


def _schedule(found: re.Match[str]) -> JsonObject:
    """Builds an Agent's `spec.schedule`; the person's time zone holds."""
    if found["cron"]:
        return {"cron": found["cron"].upper()}
    if found["hourly"] or found["hours"]:
        return {"frequency": "hourly"}
    hour, minute = (found["time"] or found["clock"]).split(":")
    day = (found["day"] or found["tag"]).capitalize()
    if day in ("Weekday", "평일"):
        return {"cron": f"{int(minute)} {int(hour)} * * 1-5"}
    time = f"{int(hour):02d}:{minute}"
    if day in ("Day", "매일"):
        return {"frequency": "daily", "time": time}
    return {"frequency": "weekly", "weekday": _WEEKDAYS.get(day[3:4], day), "time": time}
