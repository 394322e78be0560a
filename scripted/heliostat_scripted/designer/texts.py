"""Holds what the script says, in English and Korean."""

from typing import Final

TEXTS: Final = {
    "script": (
        "I am a script: I read a name and a time in fixed forms, and all other words are the task.",
        "저는 스크립트입니다. 정해진 형식의 이름과 시간만 읽고, 나머지 말은 모두 할 일로 봅니다.",
    ),
    "what": (
        "Which task is it? Write all of it in one message, for example: “Every Monday at 08:30, "
        "summarise last week's sales. Name it Sales.”",
        "어떤 일인가요? 한 메시지에 모두 써 주세요. 예: “매주 월요일 08:30에 지난주 매출을 요약해 "
        "줘. 이름은 매출 요약”",
    ),
    "which": (
        "I read more than one time, and an agent has one. Write the message again with one of "
        "them. Nothing was saved.",
        "시간을 여러 개 읽었는데 에이전트에는 하나만 둘 수 있습니다. 하나만 넣어 다시 써 주세요. "
        "저장한 것은 없습니다.",
    ),
    "save": ("I save the draft of “{name}”.", "“{name}” 초안을 저장합니다."),
    "unnamed": (
        "I read no name, so I save the draft as “{name}”; “name it …” changes that.",
        "이름을 읽지 못해 “{name}”로 저장합니다. “이름은 …”으로 바꿀 수 있습니다.",
    ),
    "change": ("I change the draft.", "초안을 바꿉니다."),
    "set_schedule": ("I set its schedule.", "일정을 정합니다."),
    "run_test": ("I ask for a test run.", "시험 실행을 요청합니다."),
    "task": (
        "All other words are the task, as they are. I set nothing else: no limit, no file.",
        "나머지 말은 그대로 할 일입니다. 한도나 파일 등 다른 것은 정하지 않았습니다.",
    ),
    "untimed": (
        "I read no time, so I set none. I read one as in “every day at 08:00”.",
        "시간을 읽지 못해 정하지 않았습니다. “매일 08:00”처럼 쓰면 읽습니다.",
    ),
    "file": (
        "The task speaks of a file, and there is none: a run begins with an empty workspace. Write "
        "into the task from which address it is fetched, or attach its text as the input of a run.",
        "할 일에 파일이 나오지만 첨부된 파일은 없습니다. 실행은 빈 작업 공간에서 시작합니다. "
        "파일을 가져올 주소를 할 일에 적거나, 실행할 때 파일 내용을 입력으로 붙여 주세요.",
    ),
    "limit": (
        "The task names an amount, and I set no limit by it: the card shows what a run may cost. "
        "On the agent's page you change it.",
        "할 일에 금액이나 양이 나오지만 한도로 정하지는 않았습니다. 한 번 실행의 한도는 카드에 "
        "있고, 에이전트 페이지에서 바꿀 수 있습니다.",
    ),
    "activate": (
        "The card shows what is saved. Nothing starts by it before you activate or apply it there.",
        "저장된 내용은 카드에 있습니다. 카드에서 활성화하거나 적용해야 그대로 시작합니다.",
    ),
    "failed": ("That did not work: {result}", "실패했습니다: {result}"),
    "answer": ("{tool} answered:\n\n{result}", "{tool}의 답입니다.\n\n{result}"),
    "no_agent": (
        "There is no agent in this conversation yet.",
        "이 대화에는 아직 에이전트가 없습니다.",
    ),
    "new_agent": ("New agent", "새 에이전트"),
    "description": ("Designed by a script.", "스크립트가 설계했습니다."),
}


def say(key: str, is_korean: bool, **values: str) -> str:
    """Gives a text in the person's language."""
    return TEXTS[key][is_korean].format(**values)
