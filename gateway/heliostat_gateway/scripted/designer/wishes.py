"""What a person wants of an agent, read from their own words, Korean or English. Pure.

A script understands little: name, time, recurrence, zone and the task that is left over.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from heliostat_gateway.scripted.designer.clocks import find_clock
from heliostat_gateway.scripted.designer.recurrences import build_schedule, find_recurrence
from heliostat_gateway.wire import JsonObject

USUAL_TIME: Final = "09:00"
_HANGUL = re.compile(r"[가-힣]")
_LONGEST_NAME = 40
_NAME_WORDS = 5


class Language(StrEnum):
    """What the person writes in."""

    ENGLISH = "en"
    KOREAN = "ko"


class Intent(StrEnum):
    """What the words ask for beside a new or changed agent."""

    DESIGN = "design"
    TEST = "test"
    RESULT = "result"
    COST = "cost"
    MODELS = "models"


@dataclass(frozen=True)
class Wish:
    """What was understood. Empty texts and None: nothing was said of it."""

    language: Language
    intent: Intent
    name: str
    task: str
    schedule: JsonObject | None
    assumed_time: str
    """The time of day that nobody said, where a schedule needed one."""


def read_wish(said: str) -> Wish:
    """Total: any words are some wish."""
    text = " ".join(said.split())
    name, text_without_name = _take_name(text)
    zone, unzoned = _take_zone(text_without_name)
    schedule, assumed, task = _take_schedule(unzoned, zone)
    task = _tidied(task)
    return Wish(
        language=Language.KOREAN if _HANGUL.search(said) else Language.ENGLISH,
        intent=_intent_of(text, task, schedule),
        name=name,
        task=task,
        schedule=schedule,
        assumed_time=assumed,
    )


def name_of_task(task: str) -> str:
    """A name for an agent that nobody named: the first words of its task."""
    words = re.sub(r"[\"'“”‘’.,!?:;()]", "", task).split()
    name = ""
    for word in words[:_NAME_WORDS]:
        if len(name) + len(word) + 1 > _LONGEST_NAME:
            break
        name = f"{name} {word}".strip()
    return name[:1].upper() + name[1:] or task[:_LONGEST_NAME]


def _intent_of(text: str, task: str, schedule: JsonObject | None) -> Intent:
    """Short words that name no new task ask for something; a long text describes one."""
    if schedule is not None or len(task) > _LONGEST_ASKING:
        return Intent.DESIGN
    return next((intent for intent, words in _ASKING if words.search(text)), Intent.DESIGN)


def _take_name(text: str) -> tuple[str, str]:
    for pattern in _NAMES:
        match = pattern.search(text)
        if match is not None:
            return match["name"].strip(), _cut(text, match.span())
    return "", text


def _take_zone(text: str) -> tuple[str, str]:
    for pattern, zone in _ZONES:
        match = pattern.search(text)
        if match is not None:
            return zone or match["zone"], _cut(text, match.span())
    return "", text


def _take_schedule(text: str, zone: str) -> tuple[JsonObject | None, str, str]:
    """The schedule, the time that was assumed for it, and the text without its words."""
    recurrence = find_recurrence(text)
    clock = find_clock(text)
    if recurrence is None:
        return None, "", text
    time = clock.time if clock else recurrence.hour or USUAL_TIME
    assumed = time if clock is None and recurrence.needs_time else ""
    spans = [recurrence.span, *([clock.span] if clock and recurrence.needs_time else [])]
    return build_schedule(recurrence, time, zone), assumed, _cut(text, *spans)


def _cut(text: str, *spans: tuple[int, int]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return " ".join(text.split())


def _tidied(text: str) -> str:
    """The task alone: without please, and without that it shall become an agent."""
    for pattern in _MANNERS:
        text = pattern.sub(" ", text)
    text = re.sub(r"\s+([,.!?])", r"\1", " ".join(text.split())).strip(" ,.;:!?-")
    return text[:1].upper() + text[1:]


def _patterns(*texts: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text, re.IGNORECASE) for text in texts)


_LONGEST_ASKING = 40
_QUOTED = r"[\"'“‘«](?P<name>[^\"'”’»]{1,60})[\"'”’»]"
_KOREAN_SO = r"(?:\s*(?:해\s*줘|해\s*주세요|하고))?"
_NAMES: Final = _patterns(
    rf",?\s*(?:and\s+)?\b(?:called|named|call it|name it|call him|call her)\s+{_QUOTED}",
    r",?\s*(?:and\s+)?\b(?:call it|name it)\s+(?P<name>[\w][\w -]{0,40}?)(?=[.,;!]|$)",
    r"\b(?:agent|bot|assistant)\s+(?:called|named)\s+(?P<name>\w[\w-]*(?:\s+[A-Z]\w*)*)",
    rf"(?:이름은|이름을)\s*{_QUOTED}\s*(?:으로|로|이야|야|이에요|예요|입니다)?{_KOREAN_SO}",
    r"(?:이름은|이름을)\s*(?P<name>[\w-]{1,30}?)(?:으로|로|이야|야|이에요|예요|입니다)(?=[\s.,]|$)"
    + _KOREAN_SO,
    rf"{_QUOTED}\s*(?:이라는|라는)\s*(?:이름의|이름으로)?",
)
_CONTINENTS = "Africa|America|Asia|Atlantic|Australia|Europe|Pacific"
_ZONES: Final = tuple(
    zip(
        _patterns(
            r"\b(?:korea(?:n)?|seoul)\s+(?:standard\s+)?time\b|한국\s*시간(?:으로)?|\bKST\b",
            r"\b(?:in\s+)?UTC\b|세계\s*표준시(?:로)?",
            rf"(?:\bin\s+)?(?P<zone>\b(?:{_CONTINENTS})/\w+(?:/\w+)?)",
        ),
        ("Asia/Seoul", "UTC", ""),
        strict=True,
    )
)
_ASKING: Final = tuple(
    zip(
        (Intent.RESULT, Intent.COST, Intent.MODELS, Intent.TEST),
        _patterns(
            r"\bresults?\b|\bwhat did it\b|\boutput\b|결과|뭐라고",
            r"\bcosts?\b|\bhow much\b|\bexpensive\b|\bprice\b|비용|얼마|가격",
            r"\b(?:which|what|list)\b.*\bmodels?\b|모델.*(?:뭐|무엇|어떤|목록|있)|어떤 모델",
            r"\b(?:test|try it|run it|run again|rerun)\b|시험|테스트|돌려|실행해",
        ),
        strict=True,
    )
)
_MANNERS: Final = _patterns(
    r"^\s*(?:hi|hello|hey)\b(?: there)?[,.!]?",
    r"^\s*(?:안녕하세요|안녕)[,.!]?",
    r"\bplease\b|\bthank you\b|\bthanks\b",
    r"\b(?:can|could|would) you\b",
    r"\bI(?:'d| would)? (?:want|like|need)(?: you)?(?= (?:to|an?)\b)(?: to)?",
    r"\b(?:make|create|build|design|set up|give)\s+(?:me\s+)?(?:an?|the)\s+"
    r"(?:agent|bot|assistant)\b(?:\s+(?:that|which|who|to)\b)?",
    r"^\s*(?:an?|the)\s+(?:agent|bot|assistant)\s+(?:that|which|who|to)\b",
    r"(?:하는|해\s*주는|할)?\s*(?:에이전트|봇)(?:를|을)?\s*(?:하나\s*)?(?:만들어|설계해|생성해)?\s*"
    r"(?:줘|주세요|줄래요?|주실래요)?[.!?]*$",
    r"(?:하고 싶어요?|부탁(?:해요?|드려요|드립니다|합니다))[.!]*$",
)
