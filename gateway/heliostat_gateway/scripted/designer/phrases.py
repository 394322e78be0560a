"""What the script says, Korean and English."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from heliostat_gateway.scripted.designer.wishes import Language


class Phrase(StrEnum):
    """One thing to say; `{...}` are filled in."""

    SCRIPT = "script"
    WHAT = "what"
    SAVING = "saving"
    SCHEDULING = "scheduling"
    ASSUMED = "assumed"
    TESTING = "testing"
    READY = "ready"
    CHANGED = "changed"
    HOW_OFTEN = "howOften"
    WHICH_ONE = "whichOne"
    NO_SCHEDULE = "noSchedule"
    REFUSED = "refused"
    ANSWER = "answer"
    NO_AGENT = "noAgent"
    DESCRIPTION = "description"
    REPORT = "report"


_TEXTS: Final[Mapping[Phrase, tuple[str, str]]] = {
    Phrase.SCRIPT: (
        "I am a script and understand a task, a name and a time.",
        "저는 스크립트라서 할 일, 이름, 시간만 알아듣습니다.",
    ),
    Phrase.WHAT: (
        "What shall the agent do, and when? For example: “Every Monday at 8:30, summarise last "
        "week's sales.”",
        "에이전트가 무엇을 언제 할까요? 예: “매주 월요일 오전 8시 30분에 지난주 매출을 요약해 줘.”",
    ),
    Phrase.SAVING: ("I save a draft of “{name}”.", "“{name}” 초안을 저장합니다."),
    Phrase.SCHEDULING: ("Now its schedule.", "이제 일정을 정합니다."),
    Phrase.ASSUMED: (
        "You named no time of day; I take {time}.",
        "시각을 말씀하지 않으셔서 {time}로 정합니다.",
    ),
    Phrase.TESTING: ("I try it once.", "한 번 시험 실행합니다."),
    Phrase.READY: (
        "The test run has been made; its result stands above. Activate the agent in its card "
        "when you like it, or tell me what to change.",
        "시험 실행을 마쳤고 결과는 위에 있습니다. 마음에 들면 카드에서 활성화하시고, 바꿀 점이 "
        "있으면 말씀해 주세요.",
    ),
    Phrase.CHANGED: (
        "That is changed in the draft, nothing else. Its card shows it; what runs changes when you "
        "apply it there.",
        "초안에서 그 부분만 바꿨습니다. 카드에서 확인하세요. 카드에서 적용해야 실제 실행에 "
        "반영됩니다.",
    ),
    Phrase.HOW_OFTEN: (
        "How often shall it run at {time}? For example: “every day at {time}”.",
        "{time}에 얼마나 자주 실행할까요? 예: “매일 {time}에”.",
    ),
    Phrase.WHICH_ONE: (
        "You named more than one time or day, and I understand one for each agent. Which one shall "
        "it be? For example: “every day at 9 am”. Another time is another agent's.",
        "시각이나 날짜를 여러 개 말씀하셨는데, 저는 에이전트마다 하나만 알아듣습니다. 어느 것으로 "
        "할까요? 예: “매일 오전 9시에”. 다른 시각에는 에이전트를 하나 더 만드세요.",
    ),
    Phrase.NO_SCHEDULE: (
        "It has no schedule yet: say when it shall run, or start it by hand.",
        "아직 일정이 없습니다. 언제 실행할지 말씀해 주시거나 직접 시작하세요.",
    ),
    Phrase.REFUSED: ("That was refused: {result}", "거절되었습니다: {result}"),
    Phrase.ANSWER: ("Here it is:\n\n{result}", "다음과 같습니다.\n\n{result}"),
    Phrase.NO_AGENT: (
        "There is no agent in this conversation yet. Say what it shall do.",
        "이 대화에는 아직 에이전트가 없습니다. 무엇을 할지 말씀해 주세요.",
    ),
    Phrase.DESCRIPTION: ("Designed by a script: {task}", "스크립트가 설계함: {task}"),
    Phrase.REPORT: (
        "{task}\n\nWrite the result into report.md in the working folder.",
        "{task}\n\n결과를 작업 폴더의 report.md에 쓰세요.",
    ),
}


def say(phrase: Phrase, language: Language, **values: str) -> str:
    """The phrase in that language."""
    english, korean = _TEXTS[phrase]
    return (korean if language is Language.KOREAN else english).format(**values)
