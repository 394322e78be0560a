"""What the script that plays the designer answers, step by step."""

import pytest

from heliostat_gateway.scripted.designer.conduct import WORKER
from support.designer_talk import Talk


def test_words_become_a_saved_scheduled_and_tried_agent() -> None:
    calls, words = Talk().say("Every Tuesday at 6:40 pm, list overdue invoices. Call it Dun.")
    assert [each.name for each in calls] == ["save_agent", "set_schedule", "run_test"]
    saved, scheduled, _ = calls
    assert saved.input["name"] == "Dun"
    assert saved.input["model"] == WORKER
    assert "List overdue invoices" in str(saved.input["prompt"])
    assert scheduled.input == {
        "schedule": {"frequency": "weekly", "weekday": "Tuesday", "time": "18:40"}
    }
    assert "I am a script" in words
    assert "Activate" in words


def test_korean_words_are_answered_in_korean() -> None:
    calls, words = Talk().say("매일 오후 2시 10분에 재고가 모자란 품목을 적어 줘")
    assert [each.name for each in calls] == ["save_agent", "set_schedule", "run_test"]
    assert calls[1].input == {"schedule": {"frequency": "daily", "time": "14:10"}}
    assert "재고가 모자란 품목을 적어 줘" in str(calls[0].input["prompt"])
    assert "스크립트" in words
    assert "I am" not in words


def test_later_words_change_the_same_agent() -> None:
    talk = Talk()
    talk.say("List overdue invoices")
    calls, _ = talk.say("every day at 7am")
    assert [each.name for each in calls] == ["set_schedule"]
    calls, _ = talk.say("Also list those that are due tomorrow, please")
    assert [each.name for each in calls] == ["save_agent", "run_test"]
    prompt = str(calls[0].input["prompt"])
    assert "List overdue invoices" in prompt
    assert "due tomorrow" in prompt
    calls, words = talk.say("name it 'Dun'")
    assert [each.input for each in calls] == [{"name": "Dun"}]
    assert "I am a script" not in words


@pytest.mark.parametrize(
    ("said", "asked", "chosen", "task"),
    [
        ("Every day at 9am and 5pm, check the mail", "Which one", "at 5pm", "Check the mail"),
        (
            "매월 1일과 15일 오전 9시에 급여를 계산해 줘",
            "어느 것으로",
            "매월 15일 오전 9시",
            "급여를 계산해 줘",
        ),
    ],
)
def test_of_several_times_one_is_asked_for_before_anything_is_saved(
    said: str, asked: str, chosen: str, task: str
) -> None:
    talk = Talk()
    calls, words = talk.say(said)
    assert not calls
    assert asked in words
    saved, scheduled, tried = talk.say(chosen)[0]
    assert task in str(saved.input["prompt"])
    schedule = scheduled.input["schedule"]
    assert isinstance(schedule, dict)
    assert (schedule["time"], schedule.get("monthDay", 0)) in (("17:00", 0), ("09:00", 15))
    assert tried.name == "run_test"


def test_questions_are_asked_of_the_tools() -> None:
    talk = Talk()
    talk.say("List overdue invoices")
    assert [each.name for each in talk.say("what does it cost?")[0]] == ["estimate_cost"]
    calls, words = talk.say("show me the result")
    assert [each.name for each in calls] == ["read_result"]
    assert "done" in words


def test_without_an_agent_there_is_nothing_to_test() -> None:
    calls, words = Talk().say("test it")
    assert not calls
    assert "no agent" in words


def test_an_agent_that_the_conversation_is_about_can_be_tested() -> None:
    calls, _ = Talk(system="Agent: Dun (agent-1)").say("test it")
    assert [each.name for each in calls] == ["run_test"]


def test_a_refusal_is_told_and_nothing_goes_on() -> None:
    calls, words = Talk().say("List invoices every day", refused="name: is taken")
    assert [each.name for each in calls] == ["save_agent"]
    assert "name: is taken" in words


def test_empty_words_are_asked_back() -> None:
    calls, words = Talk().say("Hello!")
    assert not calls
    assert "What shall the agent do" in words


def test_a_time_that_nobody_said_is_told() -> None:
    assert "09:00" in Talk().say("Count the orders every Friday")[1]


def test_only_tools_that_are_offered_are_called() -> None:
    calls, _ = Talk("save_agent").say("Count the orders every Friday")
    assert [each.name for each in calls] == ["save_agent"]


def test_placeholders_in_the_persons_words_stay_words() -> None:
    calls, _ = Talk().say("Copy <<secret>> and <<nothing>> into a table of two columns")
    assert "<<secret>> and <<nothing>>" in str(calls[0].input["prompt"])
