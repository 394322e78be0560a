"""What the script that plays the designer reads from a person's words: fixed forms alone."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_json.objects import JsonObject
from heliostat_scripted.designer.forms import COMMANDS, Wish, read_wish
from heliostat_scripted.scenario import Recording
from tools.machine import ROOT

ROW = re.compile(r"^\| `([^|]+)` \| `([^|]+)` \|", re.MULTILINE)


def read(said: str) -> Wish:
    return read_wish(said, ())


def daily(time: str) -> JsonObject:
    return {"frequency": "daily", "time": time}


def weekly(weekday: str, time: str) -> JsonObject:
    return {"frequency": "weekly", "weekday": weekday, "time": time}


@pytest.mark.parametrize(
    ("said", "schedule"),
    [
        ("Every day at 08:00, read the tides", daily("08:00")),
        ("Read the tides. Every day at 8:05.", daily("08:05")),
        ("Read the tides,\nevery day at 23:59", daily("23:59")),
        ("every weekday at 7:30, read the tides", {"cron": "30 7 * * 1-5"}),
        ("Every Sunday at 16:20, read the tides", weekly("Sunday", "16:20")),
        ("EVERY THURSDAY AT 16:20, read the tides", weekly("Thursday", "16:20")),
        ("Every hour, read the tides", {"frequency": "hourly"}),
        ('"*/15 6-9 * * 1-5", read the tides', {"cron": "*/15 6-9 * * 1-5"}),
        ("Read the tides. “0 9 1 * *”", {"cron": "0 9 1 * *"}),
        ("'0 9 * * mon-fri', read the tides", {"cron": "0 9 * * MON-FRI"}),
        ("매일 08:00에 물때를 읽어 줘", daily("08:00")),
        ("매일 8:00, 물때를 읽어 줘", daily("08:00")),
        ("물때를 읽어 줘. 매일 08:00", daily("08:00")),
        ("평일 07:30에 물때를 읽어 줘", {"cron": "30 7 * * 1-5"}),
        ("매주 목요일 16:40에 물때를 읽어 줘", weekly("Thursday", "16:40")),
        ("매주 일요일 16:40 물때를 읽어 줘", weekly("Sunday", "16:40")),
        ("매시간 물때를 읽어 줘", {"frequency": "hourly"}),
    ],
)
def test_a_time_in_a_fixed_form_becomes_a_schedule_and_no_part_of_the_task(
    said: str, schedule: JsonObject
) -> None:
    wish = read(said)
    assert wish.schedule == schedule
    assert wish.task.removesuffix(".").lower() in ("read the tides", "물때를 읽어 줘")


@pytest.mark.parametrize(
    "said",
    [
        "Every day at 9am, read the tides",
        "Every day at 24:00, read the tides",
        "Every day at 9:60, read the tides",
        "Every day at 9:00 and 17:00, read the tides",
        "Every morning, read the tides",
        "Write what happens every day at 9:00",
        "Say what every day at 9:00, and every hour, means",
        'What does "0 9 * * 1" mean in cron',
        "매일 아침 8시에 물때를 읽어 줘",
        "매일 9:00와 18:00에 물때를 읽어 줘",
        "우리가 매일 08:00에 하는 일을 적어 줘",
        "Change the time to 7:30",
        "Keep it below 20 cents a run",
    ],
)
def test_what_is_no_form_stays_in_the_task_word_for_word(said: str) -> None:
    assert read(said) == Wish(task=said)


def test_a_form_is_a_clause_of_its_own() -> None:
    assert read("Say what every day at 9:00, or so, means").schedule is None
    assert read("Say what it means, every hour, by mail").schedule == {"frequency": "hourly"}


@pytest.mark.parametrize(
    ("said", "name", "task"),
    [
        ("List refunds. Name it Refund Watch.", "Refund Watch", "List refunds."),
        ("List refunds, call it 'Refund Watch'", "Refund Watch", "List refunds"),
        ("name it “Dun”. List refunds that are due.", "Dun", "List refunds that are due."),
        ("List refunds.\nName it Dun\nBe brief.", "Dun", "List refunds. Be brief."),
        ("환불을 정리해 줘. 이름은 환불지기", "환불지기", "환불을 정리해 줘."),
        ("환불을 정리해 줘. 이름은 '환불 지기'로 해 줘.", "환불 지기", "환불을 정리해 줘."),
        ("환불을 정리해 줘. 이름은 환불봇으로 해 주세요", "환불봇", "환불을 정리해 줘."),
        ("List refunds and call it a day", "", "List refunds and call it a day"),
        ("Tell me the name of it", "", "Tell me the name of it"),
    ],
)
def test_a_name_is_read_and_the_task_is_what_is_left(said: str, name: str, task: str) -> None:
    wish = read(said)
    assert (wish.name, " ".join(wish.task.split())) == (name, task)


def test_a_time_and_a_name_without_a_task_are_read() -> None:
    assert read("Every day at 14:05") == Wish(schedule=daily("14:05"))
    assert read("name it 'Dun'.") == Wish(name="Dun")
    assert read("매시간") == Wish(schedule={"frequency": "hourly"})


def test_a_greeting_is_no_task() -> None:
    assert read("Hello!") == read("안녕하세요") == read("   ") == Wish()


def test_of_several_times_none_is_chosen_silently() -> None:
    assert read("Every day at 09:00, every day at 17:00, check the mail").is_ambiguous
    assert not read("Every day at 09:00, check whether the shop opens at 10:00").is_ambiguous


def test_a_command_is_one_word() -> None:
    assert {read(f" {word.title()}. ").command for word in COMMANDS} == set(COMMANDS.values())
    assert read("test it").command == ""


def test_a_recording_answers_exactly_its_words() -> None:
    recorded = Recording(said="Do it at nine.", task="Do it.", name="Nine", schedule=daily("09:00"))
    assert read_wish("Do it at nine.\n", [recorded]) == Wish("Do it.", "Nine", daily("09:00"))
    assert read_wish("Do it at nine", [recorded]) == Wish("Do it at nine")


def test_the_forms_of_the_docs_are_read() -> None:
    page = (ROOT / "docs" / "scenarios.md").read_text()
    section = page.partition("## The designer\n")[2].partition("\n## ")[0]
    rows = ROW.findall(section)
    assert len(rows) >= 8
    for each in (form for row in rows for form in row):
        wish = read(each)
        assert wish.schedule or wish.name or wish.command, each


@settings(max_examples=200)
@given(st.text(max_size=200) | st.from_regex(r"every (day|hour)( at 1?\d:\d\d)?[,. ]+.*"))
def test_any_words_are_some_wish(said: str) -> None:
    wish = read(said)
    assert wish.schedule is None or wish.schedule.keys() & {"cron", "frequency"}
