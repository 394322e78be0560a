"""What became of an answer, in words for people: each with what to do."""

from collections.abc import Mapping
from typing import Final, Literal

from heliostat_api.chat.schemas import StatusCode, StatusPart
from heliostat_core.agents import DEFAULT_MODEL

Language = Literal["ko", "en"]

_WORDS: Final[Mapping[Language, Mapping[StatusCode, str]]] = {
    "en": {
        StatusCode.SCRIPT: "No model answers here, a script does: {said}",
        StatusCode.STOPPED: "Stopped.",
        StatusCode.INTERRUPTED: "The server that answered went away. What it said is kept; press "
        "Continue to go on. Nothing is asked again by itself.",
        StatusCode.CAP_REACHED: "Your limit for model calls is reached. {said}",
        StatusCode.UNAVAILABLE: "The model can't be reached now: {said} Say it again in a moment.",
        StatusCode.FAILED: "The model call failed: {said}",
    },
    "ko": {
        StatusCode.SCRIPT: "모델이 아니라 스크립트가 답합니다. {said}",
        StatusCode.STOPPED: "중지했습니다.",
        StatusCode.INTERRUPTED: "답하던 서버가 사라졌습니다. 지금까지 한 말은 남아 있습니다. "
        "계속을 누르면 이어집니다. 저절로 다시 묻지 않습니다.",
        StatusCode.CAP_REACHED: "모델 호출 한도에 도달했습니다. {said}",
        StatusCode.UNAVAILABLE: "지금은 모델에 연결할 수 없습니다: {said} "
        "잠시 뒤에 다시 말해 주세요.",
        StatusCode.FAILED: "모델 호출이 실패했습니다: {said}",
    },
}
_NO_WAY: Final[Mapping[Language, str]] = {
    "en": "there is no way to {usual}. Set ANTHROPIC_API_KEY or HELIOSTAT_API_CHAT_MODEL.",
    "ko": "{usual}에 연결할 방법이 없습니다. ANTHROPIC_API_KEY 또는 HELIOSTAT_API_CHAT_MODEL을 "
    "설정하세요.",
}
_CHOSEN: Final[Mapping[Language, str]] = {
    "en": "HELIOSTAT_API_CHAT_MODEL is {wanted}.",
    "ko": "HELIOSTAT_API_CHAT_MODEL이 {wanted}입니다.",
}
_TOO_LONG: Final[Mapping[Language, str]] = {
    "en": "That took {turns} steps without an end. Say “go on” to let it continue.",
    "ko": "{turns}단계를 거쳤지만 끝나지 않았습니다. 이어 가려면 “계속해 줘”라고 말해 주세요.",
}
_CUT: Final[Mapping[Language, str]] = {
    "en": "The answer reached its greatest length. Say “go on” to let it continue.",
    "ko": "답이 최대 길이에 도달했습니다. 이어 가려면 “계속해 줘”라고 말해 주세요.",
}


def language_of(text: str) -> Language:
    """Korean where it is asked for, else English."""
    return "ko" if text == "ko" else "en"


def status(code: StatusCode, language: Language, said: str = "") -> StatusPart:
    """In the person's language; `said` is the word of whoever refused."""
    return StatusPart(code=code, text=_WORDS[language][code].format(said=said).strip())


def scripted(wanted: str, language: Language) -> StatusPart:
    """Where a script answers: because it is `wanted`, or because there is no way to a model."""
    words = _CHOSEN if wanted else _NO_WAY
    said = words[language].format(usual=DEFAULT_MODEL, wanted=wanted)
    return status(StatusCode.SCRIPT, language, said)


def too_long(turns: int, language: Language) -> StatusPart:
    """After the last step that one answer may take."""
    return StatusPart(code=StatusCode.STOPPED, text=_TOO_LONG[language].format(turns=turns))


def cut(language: Language) -> StatusPart:
    """After the last token that one model call may say."""
    return StatusPart(code=StatusCode.STOPPED, text=_CUT[language])
