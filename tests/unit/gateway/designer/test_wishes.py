"""What the script that plays the designer reads from a person's own words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_gateway.scripted.designer.clocks import find_clock
from heliostat_gateway.scripted.designer.wishes import (
    Intent,
    Language,
    name_of_task,
    read_wish,
)
from heliostat_json.objects import JsonObject


def daily(time: str, zone: str = "") -> JsonObject:
    schedule: JsonObject = {"frequency": "daily", "time": time}
    return schedule | ({"timeZone": zone} if zone else {})


def weekly(weekday: str, time: str) -> JsonObject:
    return {"frequency": "weekly", "weekday": weekday, "time": time}


def monthly(day: int, time: str) -> JsonObject:
    return {"frequency": "monthly", "monthDay": day, "time": time}


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("every day at 8am", "08:00"),
        ("at 8:30 p.m. sharp", "20:30"),
        ("around 12 am", "00:00"),
        ("12pm", "12:00"),
        ("at 17:45", "17:45"),
        ("at seven in the evening", "19:00"),
        ("at eleven at night", "23:00"),
        ("at noon", "12:00"),
        ("at midnight", "00:00"),
        ("at 9", "09:00"),
        ("오전 8시 30분에", "08:30"),
        ("오후 여섯 시 반", "18:30"),
        ("아침 7시", "07:00"),
        ("저녁 열한시", "23:00"),
        ("밤 12시", "00:00"),
        ("낮 2시", "14:00"),
        ("새벽 다섯 시에", "05:00"),
        ("18시 5분", "18:05"),
        ("정오에", "12:00"),
        ("자정", "00:00"),
        ("21:15에", "21:15"),
        ("at half past six in the morning", "06:30"),
        ("quarter past 8", "08:15"),
        ("a quarter to 1 pm", "12:45"),
        ("at quarter to 0", "23:45"),
        ("오후 한 시 십오 분", "13:15"),
        ("밤 10시 반에", "22:30"),
    ],
)
def test_a_time_of_day_is_found(said: str, time: str) -> None:
    found = find_clock(said)
    assert found is not None
    assert found.time == time


@pytest.mark.parametrize("said", ["24시간 운영", "at 99:99", "version 3.5", "3시간", "add 5 rows"])
def test_what_is_no_time_of_day_is_not_taken_for_one(said: str) -> None:
    assert find_clock(said) is None


@pytest.mark.parametrize(
    ("said", "schedule"),
    [
        ("Check the site every hour", {"frequency": "hourly"}),
        ("Ping it every 15 minutes", {"cron": "*/15 * * * *"}),
        ("Look every 6 hours", {"cron": "0 */6 * * *"}),
        ("30분마다 확인해 줘", {"cron": "*/30 * * * *"}),
        ("3시간마다 확인해 줘", {"cron": "0 */3 * * *"}),
        ("매시간 확인해 줘", {"frequency": "hourly"}),
        ("Send it daily at 6pm", daily("18:00")),
        ("Read the news every morning", daily("08:00")),
        ("매일 아침 뉴스를 읽어 줘", daily("08:00")),
        ("매일 오후 3시에 알려 줘", daily("15:00")),
        ("저녁마다 일기를 써 줘", daily("18:00")),
        ("every Friday at 4pm", weekly("Friday", "16:00")),
        ("on Mondays", weekly("Monday", "09:00")),
        ("every Tuesday and Thursday at 7:05", {"cron": "5 7 * * 2,4"}),
        ("every weekday morning", {"cron": "0 8 * * 1-5"}),
        ("평일 오전 9시 30분", {"cron": "30 9 * * 1-5"}),
        ("매주 수요일 오전 10시", weekly("Wednesday", "10:00")),
        ("월요일마다 8시에", weekly("Monday", "08:00")),
        ("매주 월수금 19시에", {"cron": "0 19 * * 1,3,5"}),
        ("매주 화요일과 일요일 정오에", {"cron": "0 12 * * 0,2"}),
        ("매주 정리해 줘", weekly("Monday", "09:00")),
        ("on the 15th of every month at 10:00", monthly(15, "10:00")),
        ("monthly", monthly(1, "09:00")),
        ("on the last day of the month at 23:30", monthly(31, "23:30")),
        ("매월 25일 오전 9시", monthly(25, "09:00")),
        ("매달 말일에 정산해 줘", monthly(31, "09:00")),
        ("daily at 7am Korean time", daily("07:00", "Asia/Seoul")),
        ("daily at 7am in Europe/Berlin", daily("07:00", "Europe/Berlin")),
        ("한국 시간으로 매일 7시", daily("07:00", "Asia/Seoul")),
        ("every half hour", {"cron": "*/30 * * * *"}),
        ("every quarter of an hour", {"cron": "*/15 * * * *"}),
        ("두 시간마다 온도를 확인해 줘", {"cron": "0 */2 * * *"}),
        ("every weekday at 7:30am", {"cron": "30 7 * * 1-5"}),
        ("every weekend at 10am", {"cron": "0 10 * * 0,6"}),
        ("주말마다 오전 10시에", {"cron": "0 10 * * 0,6"}),
        ("Mondays and Thursdays at 6 pm", {"cron": "0 18 * * 1,4"}),
        ("Mon, Wed and Fri at 07:15", {"cron": "15 7 * * 1,3,5"}),
        ("월, 수, 금 오후 2시에", {"cron": "0 14 * * 1,3,5"}),
        ("매주 월요일 아침 9시", weekly("Monday", "09:00")),
        ("on the 1st of each month at 8", monthly(1, "08:00")),
        ("first day of every month at 9:15", monthly(1, "09:15")),
        ("매달 첫날 오전 8시에", monthly(1, "08:00")),
        ("오전 9시마다", daily("09:00")),
        ("하루에 한 번", daily("09:00")),
        ("every 7 minutes", None),
        ("7분마다", None),
        ("격주 금요일에", None),
        ("Sun and rain: write a poem", None),
        ("Monday is our deadline, write a reminder", None),
        ("Summarise this table", None),
    ],
)  # fmt: skip
def test_a_recurrence_becomes_a_schedule(said: str, schedule: JsonObject | None) -> None:
    assert read_wish(said).schedule == schedule


@pytest.mark.parametrize(
    ("said", "name", "task"),
    [
        (
            "Please make an agent that sums up our refunds every Monday at 8:30, "
            "and call it Refund Watch.",
            "Refund Watch",
            "Sums up our refunds",
        ),
        (
            'Can you create an agent called "Morning Weather" which compares Busan and Seoul '
            "every day at 7am?",
            "Morning Weather",
            "Compares Busan and Seoul",
        ),
        (
            "I want an agent to list new papers on batteries.",
            "",
            "List new papers on batteries",
        ),
        (
            "매주 금요일 오후 5시에 지난주 환불을 표로 정리해 줘. 이름은 환불지기로 해 줘.",
            "환불지기",
            "지난주 환불을 표로 정리해 줘",
        ),
        (
            "안녕하세요, '날씨 요정'이라는 이름으로 매일 아침 7시에 부산 날씨를 알려 주는 "
            "에이전트를 만들어 주세요.",
            "날씨 요정",
            "부산 날씨를 알려 주는",
        ),
        (
            "평일 저녁 7시 30분에 운동 기록을 남겨 줘. '운동 일지'라고 불러 줘",
            "운동 일지",
            "운동 기록을 남겨 줘",
        ),
        (
            "매주 토요일 새벽 5시에 백업을 확인해 줘. 이름은 백업 파수꾼으로",
            "백업 파수꾼",
            "백업을 확인해 줘",
        ),
        (
            "Make an agent called Invoicer that lists overdue invoices every day at 7am",
            "Invoicer",
            "Lists overdue invoices",
        ),
        (
            "I want a bot named Kim Chi that writes a haiku every night at 11",
            "Kim Chi",
            "Writes a haiku",
        ),
        (
            "Create an assistant named Max to summarise my mails every Monday at 9:30",
            "Max",
            "Summarise my mails",
        ),
        ("매일 8시 30분에 뉴스를 요약해 줘. 이름은 뉴스봇", "뉴스봇", "뉴스를 요약해 줘"),
        ("이름은 김비서. 매일 8시에 일정을 요약해 줘", "김비서", "일정을 요약해 줘"),
        (
            "매일 8시에 일정을 요약해 줘. 이름은 네가 정해 줘",
            "",
            "일정을 요약해 줘. 이름은 네가 정해 줘",
        ),
        ("매주 우리 팀의 챗봇", "", "우리 팀의 챗봇"),
        ("매 시간 정각에 서버 상태를 확인해 줘", "", "서버 상태를 확인해 줘"),
        ("매달 첫날 오전 8시에 청구서를 모아 줘", "", "청구서를 모아 줘"),
        ("Could you check our page every half hour?", "", "Check our page"),
        ("Mondays and Thursdays at 6 pm compare prices", "", "Compare prices"),
    ],
)
def test_name_and_task_are_the_persons_own_words(said: str, name: str, task: str) -> None:
    wish = read_wish(said)
    assert (wish.name, wish.task) == (name, task)


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("test it again", Intent.TEST),
        ("한 번 더 돌려 줘", Intent.TEST),
        ("what was the result?", Intent.RESULT),
        ("결과 보여 줘", Intent.RESULT),
        ("how much does it cost", Intent.COST),
        ("비용이 얼마예요?", Intent.COST),
        ("which models are there?", Intent.MODELS),
        ("어떤 모델을 쓸 수 있어?", Intent.MODELS),
        ("Compare the cost of three flights to Tokyo and write the cheapest down", Intent.DESIGN),
        ("Run the tests every night at 2", Intent.DESIGN),
    ],
)
def test_short_words_ask_and_long_ones_describe(said: str, intent: Intent) -> None:
    assert read_wish(said).intent is intent


@pytest.mark.parametrize(
    ("said", "task"),
    [
        ("매월 1일과 15일 오전 9시에 급여를 계산해 줘", "급여를 계산해 줘"),
        ("매일 오전 9시와 오후 6시에 메일을 확인해 줘", "메일을 확인해 줘"),
        ("매일 9시, 12시, 18시에 메일을 확인해 줘", "메일을 확인해 줘"),
        ("매주 월요일 오전 9시와 수요일 오후 3시에 회의를 알려 줘", "회의를 알려 줘"),
        ("Every day at 9am and 5pm, check the mail", "Check the mail"),
        ("Check the mail at 9am or noon every day", "Check the mail"),
        ("Every day at 9 and 17, check the mail", "Check the mail"),
        ("Every Monday at 9 and on Thursday at 10, check the mail", "Check the mail"),
        ("Pay the wages on the 1st and 15th of every month", "Pay the wages"),
        ("Pay the wages on the 1st and the 15th of every month at 9", "Pay the wages"),
        ("Pay the wages every month on the 1st and 15th at 9", "Pay the wages"),
    ],
)
def test_a_second_time_or_day_is_noticed_and_no_part_of_the_task(said: str, task: str) -> None:
    wish = read_wish(said)
    assert wish.is_several
    assert wish.task == task


@pytest.mark.parametrize(
    "said",
    [
        "Every Monday, at 9am, check the mail",
        "At 9am, every Monday, check the mail",
        "every Tuesday and Thursday at 7:05, check the mail",
        "Every day at 9am check whether the shop opens at 10am",
        "Every Monday at 9, 3 things to do",
        "매일 9시에, 15일 치 로그를 정리해 줘",
        "매주 월, 수, 금 오후 2시에 뉴스 3개와 날씨를 알려 줘",
    ],
)
def test_one_time_is_one(said: str) -> None:
    assert not read_wish(said).is_several


def test_a_time_that_nobody_said_is_told() -> None:
    assert read_wish("every Monday, count the orders").assumed_time == "09:00"
    assert read_wish("every Monday at 7, count the orders").assumed_time == ""
    assert read_wish("every hour, count the orders").assumed_time == ""


def test_the_language_is_that_of_the_words() -> None:
    assert read_wish("매일 요약해 줘").language is Language.KOREAN
    assert read_wish("sum up").language is Language.ENGLISH


def test_an_agent_that_nobody_named_has_the_first_words_of_its_task() -> None:
    assert (
        name_of_task("compare Busan, Seoul and Daegu every hour") == "Compare Busan Seoul and Daegu"
    )
    assert name_of_task("지난주 환불을 표로 정리해 줘") == "지난주 환불을 표로 정리해 줘"


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_any_words_are_some_wish(said: str) -> None:
    wish = read_wish(said)
    assert wish.schedule is None or wish.schedule.keys() & {"cron", "frequency"}
