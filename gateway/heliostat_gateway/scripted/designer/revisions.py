"""Finds in a person's words what they change of something that stands already. Pure."""

import re
from typing import Final

_BEFORE = re.compile(
    r"\b(?:change|move|set|shift|switch|put|make)\s+(?:the\s+|its\s+)?"
    r"(?:(?:start\s+)?time|schedule|start|it|that|run|runs)?(?:\s+(?:to|at|for))?\s*$"
    r"|(?:시간|시각|일정|실행)(?:을|를|은)?\s*$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*(?:으로|로|에)?\s*(?:바꿔|변경해|옮겨|고쳐|맞춰)\s*(?:줘요?|주세요|줄래요?|주고)?"
)
_EMPTY: Final = """
a actually again agent also and at be can could do for from hey i instead it its just let me
make move change now ok okay on please put rather run runs schedule scheduled set shift should
so start starting switch thanks that the then this time to too want would you
그냥 그럼 그리고 그런데 대신 대신에 이제 좀 다시 앞으로 매번 에이전트 에이전트를 에이전트의 이거
이걸 그거 그걸 시간 시간을 시간은 시각 시각을 시각은 일정 일정을 일정은 주기를 실행 실행은 실행을
이름 이름을 이름은 로 으로 에 바꿔 변경해 고쳐 옮겨 맞춰 해 하도록 실행해 돌려 시작해 지어 줘
주세요 줘요 줄래 줄래요 바꿔줘 변경해줘 해줘 실행해줘 바꿔주세요 변경해주세요 해주세요 바꾸고 싶어
싶어요
"""
_EMPTY_WORDS: Final = frozenset(_EMPTY.split())


def widen_to_change(text: str, span: tuple[int, int]) -> tuple[int, int] | None:
    """What says `change the time to` around the time of day at `span`; None when nothing does."""
    start, end = span
    before = _BEFORE.search(text[:start])
    after = _AFTER.match(text[end:])
    if not before and not after:
        return None
    return (before.start() if before else start, end + (after.end() if after else 0))


def says_nothing(text: str) -> bool:
    """Whether what is left over names no task: only words around a name or a schedule."""
    return all(word in _EMPTY_WORDS for word in re.findall(r"\w+", text.lower()))
