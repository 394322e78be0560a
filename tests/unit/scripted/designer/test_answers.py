"""What the script that plays the designer answers, step by step."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from heliostat_json.objects import JsonObject
from heliostat_scripted.designer.answers import WORKER
from heliostat_scripted.scenario import read_scenario
from support.designer_talk import Talk
from tools.machine import ROOT

WEEKLY = "Every Wednesday at 16:20, weigh the parcels. Name it Scales."
EXAMPLES = re.compile(r'"request\.\w+Text": \{\s*en: "([^"]+)",\s*ko: "([^"]+)"')


def test_words_become_a_saved_scheduled_and_tried_agent() -> None:
    calls, words = Talk().say("Every Tuesday at 18:40, list overdue invoices. Call it Dun.")
    assert [each.name for each in calls] == ["save_agent", "set_schedule", "run_test"]
    saved, scheduled, _ = calls
    assert saved.input == {
        "name": "Dun",
        "description": "Designed by a script.",
        "prompt": "list overdue invoices.",
        "model": WORKER,
    }
    assert scheduled.input == {
        "schedule": {"frequency": "weekly", "weekday": "Tuesday", "time": "18:40"}
    }
    assert "I am a script" in words
    assert "activate" in words


def test_korean_words_are_answered_in_korean() -> None:
    calls, words = Talk().say("매일 14:10에 재고가 모자란 품목을 적어 줘")
    assert [each.name for each in calls] == ["save_agent", "set_schedule", "run_test"]
    assert calls[1].input == {"schedule": {"frequency": "daily", "time": "14:10"}}
    assert calls[0].input["prompt"] == "재고가 모자란 품목을 적어 줘"
    assert calls[0].input["name"] == "새 에이전트"
    assert "스크립트" in words
    assert "I " not in words


def test_the_examples_of_the_dashboard_are_recorded_word_for_word() -> None:
    catalogue = (ROOT / "api/dashboard/src/words/chat.ts").read_text()
    examples = [said for pair in EXAMPLES.findall(catalogue) for said in pair]
    path = Path(str(files("heliostat_scripted") / "scenarios" / "designer.yaml"))
    recordings = read_scenario(path).recordings
    assert len(examples) == 12
    assert [each.said for each in recordings] == examples
    for each in recordings:
        calls, words = Talk(recordings=recordings).say(each.said)
        assert [call.name for call in calls] == ["save_agent", "set_schedule", "run_test"]
        saved, scheduled, _ = calls
        assert (saved.input["name"], saved.input["prompt"]) == (each.name, each.task)
        assert scheduled.input == {"schedule": each.schedule}
        assert "no time" not in words


@pytest.mark.parametrize(
    ("said", "notes"),
    [
        ("Summarise my sales CSV and send me a table.", ["speaks of a file"]),
        ("Read the attached spreadsheet, add up the hours.", ["speaks of a file"]),
        ("Check my last three log files for errors.", ["speaks of a file"]),
        ("Count the clouds, at most 20 cents a run.", ["names an amount"]),
        ("Read my notes.xlsx, for $0.20 at most.", ["speaks of a file", "names an amount"]),
        ("내 매출 파일을 요약해 줘", ["파일이 나오지만"]),
        ("첨부한 CSV를 요약해 줘, 20센트까지만", ["파일이 나오지만", "한도로 정하지는 않았습니다"]),
        ("Count the clouds and profile the wind.", []),
    ],
)
def test_what_the_script_can_not_give_it_says(said: str, notes: list[str]) -> None:
    _, words = Talk().say(said)
    known = ["speaks of a file", "names an amount", "파일이 나오지만", "한도로 정하지는 않았습니다"]
    assert [each for each in known if each in words] == notes


def test_later_words_change_what_they_say_and_nothing_else() -> None:
    talk = Talk()
    talk.say("List overdue invoices")
    calls, words = talk.say("every day at 7:00")
    assert [(each.name, each.input) for each in calls] == [
        ("set_schedule", {"schedule": {"frequency": "daily", "time": "07:00"}})
    ]
    assert "I am a script" not in words
    assert "test run" not in words
    calls, _ = talk.say("List those that are due tomorrow, too")
    assert [each.name for each in calls] == ["save_agent", "run_test"]
    assert calls[0].input == {"prompt": "List those that are due tomorrow, too"}


@pytest.mark.parametrize(
    ("said", "tool", "given"),
    [
        ("name it Parcel Post", "save_agent", {"name": "Parcel Post"}),
        ("이름은 '초록 달력'으로 해 줘", "save_agent", {"name": "초록 달력"}),
        ('"5 14 * * 1,5"', "set_schedule", {"schedule": {"cron": "5 14 * * 1,5"}}),
        ("매시간", "set_schedule", {"schedule": {"frequency": "hourly"}}),
    ],
)
def test_a_name_or_a_time_alone_changes_nothing_else(
    said: str, tool: str, given: JsonObject
) -> None:
    talk = Talk()
    talk.say(WEEKLY)
    calls, words = talk.say(said)
    assert [(each.name, each.input) for each in calls] == [(tool, given)]
    assert "test run" not in words


def test_wishes_that_it_cannot_read_are_words_of_the_task_and_it_claims_none() -> None:
    said = "Summarise my sales CSV and mail it to Kim, at most 20 cents a run"
    calls, words = Talk().say(said)
    assert [each.name for each in calls] == ["save_agent", "run_test"]
    saved = calls[0].input
    assert (saved["name"], saved["prompt"]) == ("New agent", said)
    assert saved.keys() == {"name", "description", "prompt", "model"}
    assert "no name" in words
    assert "no time" in words
    assert "no limit, no file" in words
    assert "cents" not in words


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Every day at 9:00, every day at 17:00, check the mail", "more than one time"),
        ("매일 09:00에, 매일 18:00에, 메일을 확인해 줘", "여러 개"),
        ("Every day at 9:00", "Which task"),
        ("name it Dun", "Which task"),
        ("매일 07:00", "어떤 일"),
        ("Hello!", "Which task"),
    ],
)
def test_what_is_missing_is_asked_for_before_anything_is_saved(said: str, asked: str) -> None:
    talk = Talk()
    calls, words = talk.say(said)
    assert not calls
    assert asked in words
    assert talk.say("Every day at 9:00, check the mail")[0]


def test_commands_are_asked_of_the_tools() -> None:
    talk = Talk()
    talk.say("List overdue invoices")
    assert [each.name for each in talk.say("Cost")[0]] == ["estimate_cost"]
    assert [each.name for each in talk.say("test")[0]] == ["run_test"]
    calls, words = talk.say("result")
    assert [each.name for each in calls] == ["read_result"]
    assert "done" in words


def test_without_an_agent_there_is_nothing_to_test() -> None:
    calls, words = Talk().say("test")
    assert not calls
    assert "no agent" in words
    assert [each.name for each in Talk().say("models")[0]] == ["list_models"]


def test_an_agent_that_the_conversation_is_about_is_tested_and_only_changed() -> None:
    calls, _ = Talk(system="Agent: Dun (agent-1)").say("test")
    assert [each.name for each in calls] == ["run_test"]
    calls, _ = Talk(system="Agent: Dun (agent-1)").say("List overdue invoices")
    assert calls[0].input == {"prompt": "List overdue invoices"}


def test_a_failure_is_told_and_nothing_goes_on() -> None:
    calls, words = Talk().say("Every hour, list invoices", refused="name: is taken")
    assert [each.name for each in calls] == ["save_agent"]
    assert "name: is taken" in words
    assert "activate" not in words


def test_only_tools_that_are_offered_are_called() -> None:
    calls, words = Talk("save_agent").say("Every Friday at 9:00, count the orders")
    assert [each.name for each in calls] == ["save_agent"]
    assert "schedule" not in words
    assert "test run" not in words


def test_placeholders_in_the_persons_words_stay_words() -> None:
    calls, _ = Talk().say("Copy <<secret>> and <<nothing>> into a table of two columns")
    assert "<<secret>> and <<nothing>>" in str(calls[0].input["prompt"])
