"""What a person wants of an agent, read from their own words, Korean or English. Pure.

A script understands little: name, time, recurrence, zone and the task that is left over.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from heliostat_gateway.scripted.designer.revisions import says_nothing
from heliostat_gateway.scripted.designer.timings import Timing, cut, take_timing
from heliostat_json.objects import JsonObject

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
    timing: Timing | None
    unplaced_time: str = ""
    """A time of day that was asked for while nothing says on which days."""
    is_several: bool = False
    """It names more times or days than an agent has, so that somebody must choose."""

    @property
    def schedule(self) -> JsonObject | None:
        """An Agent's `spec.schedule`."""
        return self.timing.schedule if self.timing else None

    @property
    def assumed_time(self) -> str:
        """The time of day that nobody said, where a schedule needed one."""
        return self.timing.time if self.timing and self.timing.is_assumed else ""


def read_wishes(words: tuple[str, ...]) -> list[Wish]:
    """Each after what was said of the schedule before it."""
    wishes: list[Wish] = []
    before: Timing | None = None
    for said in words:
        wish = read_wish(said, before)
        if wishes and wishes[-1].is_several and wish.timing:
            wish = _chosen(wish, wishes[-1])
        wishes.append(wish)
        before = wish.timing or before
    return wishes


def _chosen(wish: Wish, asked: Wish) -> Wish:
    """Which of several times it shall be: the rest was said before, and is not done yet."""
    return replace(wish, task=wish.task or asked.task, name=wish.name or asked.name)


def read_wish(said: str, before: Timing | None = None) -> Wish:
    """Total: any words are some wish. `before` is the schedule that they may change."""
    text = " ".join(said.split())
    name, unnamed = _take_name(text)
    zone, unzoned = _take_zone(unnamed)
    taken = take_timing(unzoned, zone, before)
    is_about_else = bool(name or taken.timing or taken.unplaced)
    task = "" if is_about_else and says_nothing(taken.rest) else _tidied(taken.rest)
    return Wish(
        language=Language.KOREAN if _HANGUL.search(said) else Language.ENGLISH,
        intent=Intent.DESIGN if taken.unplaced else _intent_of(text, task, taken.timing),
        name=name,
        task=task,
        timing=taken.timing,
        unplaced_time=taken.unplaced,
        is_several=taken.is_several,
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


def _intent_of(text: str, task: str, timing: Timing | None) -> Intent:
    """Short words that name no new task ask for something; a long text describes one."""
    if timing is not None or len(task) > _LONGEST_ASKING:
        return Intent.DESIGN
    return next((intent for intent, words in _ASKING if words.search(text)), Intent.DESIGN)


def _take_name(text: str) -> tuple[str, str]:
    for pattern in _NAMES:
        match = pattern.search(text)
        if match is not None:
            return match["name"].strip(), cut(text, match.span())
    return "", text


def _take_zone(text: str) -> tuple[str, str]:
    for pattern, zone in _ZONES:
        match = pattern.search(text)
        if match is not None:
            return zone or match["zone"], cut(text, match.span())
    return "", text


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
_KOREAN_SO = r"(?:\s*(?:(?:해|바꿔|변경해|고쳐|지어)\s*(?:줘|주세요)|하고))?"
_RENAME = (
    r",?\s*(?:and\s+)?\b(?:rename\s+(?:it|this|(?:the|this|my)\s+agent)"
    r"|(?:change|set)\s+(?:its|the)\s+(?:agent's\s+)?name)\s+to\s+"
)
_PLAIN = r"(?P<name>[\w][\w -]{0,40}?)(?:\s+(?:instead|please))?(?=[.,;!?]|$)"
_NAMES: Final = _patterns(
    rf"{_RENAME}{_QUOTED}",
    rf"{_RENAME}{_PLAIN}",
    rf",?\s*(?:and\s+)?\b(?:called|named|call it|name it|call him|call her)\s+{_QUOTED}",
    rf",?\s*(?:and\s+)?\b(?:call it|name it)\s+{_PLAIN}",
    r"(?:(?<=\bagent)|(?<=\bbot)|(?<=\bassistant))\s+(?:called|named)\s+"
    r"(?P<name>\w[\w-]*(?:\s+(?-i:[A-Z])\w*)*)",
    rf"(?:이름은|이름을)\s*{_QUOTED}\s*(?:으로|로|이야|야|이에요|예요|입니다)?{_KOREAN_SO}",
    r"(?:이름은|이름을)\s*(?P<name>[\w-]{1,30}?(?: [\w-]{1,20}?){0,2})"
    r"(?:으로|로|이야|야|이에요|예요|입니다)(?=[\s.,]|$)" + _KOREAN_SO,
    r"이름은\s*(?P<name>[\w-]{1,30}(?: [\w-]{1,20}){0,2})(?<![줘요둬해까])\s*(?=[.,!?]|$)",
    rf"{_QUOTED}\s*(?:이라고|라고)\s*(?:불러|해|지어)\s*(?:줘|주세요)",
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
    r"(?:(?:하는|해\s*주는|할)\s*|(?<![가-힣]))(?:에이전트|봇)(?:를|을)?\s*(?:하나\s*)?(?:만들어|설계해|생성해)?\s*"
    r"(?:줘|주세요|줄래요?|주실래요)?[.!?]*$",
    r"(?:하고 싶어요?|부탁(?:해요?|드려요|드립니다|합니다))[.!]*$",
)
