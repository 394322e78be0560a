"""What the script that plays the designer changes of an agent that stands already."""

import pytest

from heliostat_gateway.scripted.script import ToolUse
from heliostat_json.objects import JsonObject
from support.designer_talk import Talk

WEEKLY = "Every Wednesday at 16:20, weigh the parcels. Call it Scales."
FORTY = "매주 목요일 오후 4시 40분에 화분에 물을 줬는지 물어봐 줘. 이름은 '물주기'로 해 줘."


def after(first: str, *said: str) -> list[ToolUse]:
    """The calls that the last words led to."""
    talk = Talk()
    talk.say(first)
    calls: list[ToolUse] = []
    for each in said:
        calls, _ = talk.say(each)
    return calls


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("Change the time to 7:30 please", "07:30"),
        ("Could you move it to 6 pm instead?", "18:00"),
        ("Make it 5:45.", "05:45"),
        ("at noon, please", "12:00"),
        ("Actually, run it at 11:10", "11:10"),
        ("Set the start time to quarter", ""),
        ("Let it start at 8am now", "08:00"),
    ],
)
def test_a_time_alone_keeps_the_days(said: str, time: str) -> None:
    calls = [each for each in after(WEEKLY, said) if each.name == "set_schedule"]
    schedules = [each.input["schedule"] for each in calls]
    expected: JsonObject = {"frequency": "weekly", "weekday": "Wednesday", "time": time}
    assert schedules == ([expected] if time else [])


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("시간을 아침 6시 15분으로 바꿔 줘", "06:15"),
        ("오후 8시로 변경해 주세요", "20:00"),
        ("그냥 7시 반에 실행해 줘", "07:30"),
    ],
)
def test_a_time_alone_keeps_the_days_in_korean(said: str, time: str) -> None:
    calls = after(FORTY, said)
    assert [each.name for each in calls] == ["set_schedule"]
    assert calls[0].input == {
        "schedule": {"frequency": "weekly", "weekday": "Thursday", "time": time}
    }


def test_only_the_time_changes() -> None:
    calls = after("On Mondays and Fridays at 9 count crates", "change the time to 14:05")
    assert [each.name for each in calls] == ["set_schedule"]
    assert calls[0].input == {"schedule": {"cron": "5 14 * * 1,5"}}


def test_the_zone_that_was_said_stays() -> None:
    calls = after("Daily at 7am in Europe/Oslo, read the tides", "change the time to 8:15")
    assert calls[0].input == {
        "schedule": {"frequency": "daily", "time": "08:15", "timeZone": "Europe/Oslo"}
    }


def test_other_days_keep_the_time() -> None:
    calls = after(WEEKLY, "Change it to every Saturday, please")
    assert [each.name for each in calls] == ["set_schedule"]
    assert calls[0].input == {
        "schedule": {"frequency": "weekly", "weekday": "Saturday", "time": "16:20"}
    }


def test_changes_follow_each_other() -> None:
    calls = after(WEEKLY, "change it to every Sunday", "make it 10:10")
    assert calls[0].input == {
        "schedule": {"frequency": "weekly", "weekday": "Sunday", "time": "10:10"}
    }


def test_a_time_and_a_task_are_both_taken() -> None:
    calls = after(WEEKLY, "Change the time to 7:30, and weigh the letters, too")
    assert [each.name for each in calls] == ["save_agent", "set_schedule", "run_test"]
    prompt = str(calls[0].input["prompt"])
    assert "eigh the letters" in prompt
    assert "7:30" not in prompt


def test_a_time_inside_a_task_stays_there() -> None:
    calls = after(WEEKLY, "Leave out those which came before 7:30")
    assert [each.name for each in calls] == ["save_agent", "run_test"]
    assert "7:30" in str(calls[0].input["prompt"])


@pytest.mark.parametrize("first", ["Weigh the parcels", "Every hour, weigh the parcels"])
def test_a_time_without_days_is_asked_about(first: str) -> None:
    talk = Talk()
    talk.say(first)
    calls, words = talk.say("Change the time to 7:30")
    assert not calls
    assert "How often" in words


@pytest.mark.parametrize(
    ("first", "said", "name"),
    [
        (FORTY, "이름은 '초록이'로 바꿔 줘", "초록이"),
        (FORTY, "이름을 초록이로 변경해 주세요.", "초록이"),
        (FORTY, "에이전트 이름을 '초록 달력'으로 고쳐 줘", "초록 달력"),
        (WEEKLY, "rename it to Parcel Post", "Parcel Post"),
        (WEEKLY, "Please rename the agent to 'Parcel Post'.", "Parcel Post"),
        (WEEKLY, "Can you change its name to Parcel Post?", "Parcel Post"),
        (WEEKLY, "call it Parcel Post instead", "Parcel Post"),
    ],
)
def test_a_new_name_changes_nothing_else(first: str, said: str, name: str) -> None:
    calls = after(first, said)
    assert [(each.name, each.input) for each in calls] == [("save_agent", {"name": name})]


def test_a_change_without_a_test_run_speaks_of_none() -> None:
    talk = Talk()
    talk.say(WEEKLY)
    assert "test run" not in talk.say("rename it to Post")[1]
    assert "test run" not in talk.say("change the time to 7:30")[1]


def test_words_of_a_schedule_alone_are_no_task() -> None:
    calls, words = Talk().say("매일 7시에 실행해 줘")
    assert not calls
    assert "에이전트가 무엇을" in words
