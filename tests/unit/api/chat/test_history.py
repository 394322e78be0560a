"""What the model is told of a conversation: turns in their order, every call with a result."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.chat.history import MOST_CHARACTERS, newest, turns_of
from heliostat_api.chat.message_events import fields_of
from heliostat_api.chat.models import TextBlock, ToolResultBlock, ToolUse, Turn
from heliostat_api.chat.schemas import (
    AgentCardPart,
    Part,
    ResultPart,
    StatusCode,
    StatusPart,
    TextPart,
    ToolCallPart,
)
from heliostat_api.records.conversations import MessageRecord, Role

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def said(text: str, **context: str) -> MessageRecord:
    part = fields_of(TextPart(text=text))
    return MessageRecord("u", parts=(part,), timestamp=NOW, context=context)


def answer(*parts: Part) -> MessageRecord:
    return MessageRecord("a", Role.ASSISTANT, parts=tuple(map(fields_of, parts)), timestamp=NOW)


def call(id_: str) -> ToolCallPart:
    return ToolCallPart(id=id_, name="save_agent", input={"name": id_})


def result(id_: str, *, is_error: bool = False) -> ResultPart:
    return ResultPart(call_id=id_, is_error=is_error, text=f"result of {id_}")


def status(code: StatusCode) -> StatusPart:
    return StatusPart(code=code, text="for people")


def test_calls_and_results_alternate_and_what_only_people_see_is_left_out() -> None:
    parts = (
        status(StatusCode.SCRIPT),
        TextPart(text="I save it.\n"),
        call("1"),
        call("2"),
        AgentCardPart(agent_id="x", revision=1),
        result("1"),
        result("2", is_error=True),
        TextPart(text="Done."),
    )
    assert turns_of([said("go"), answer(*parts), said("thanks")]) == (
        Turn("user", (TextBlock("go"),)),
        Turn(
            "assistant",
            (
                TextBlock("I save it."),
                ToolUse("1", "save_agent", {"name": "1"}),
                ToolUse("2", "save_agent", {"name": "2"}),
            ),
        ),
        Turn(
            "user",
            (ToolResultBlock("1", "result of 1", False), ToolResultBlock("2", "result of 2", True)),
        ),
        Turn("assistant", (TextBlock("Done."),)),
        Turn("user", (TextBlock("thanks"),)),
    )


def test_what_is_said_beside_calls_takes_no_result_from_them() -> None:
    parts = (call("1"), TextPart(text="And the schedule."), call("2"), result("1"), result("2"))
    assert turns_of([said("go"), answer(*parts, TextPart(text="Done."))]) == (
        Turn("user", (TextBlock("go"),)),
        Turn(
            "assistant",
            (
                ToolUse("1", "save_agent", {"name": "1"}),
                TextBlock("And the schedule."),
                ToolUse("2", "save_agent", {"name": "2"}),
            ),
        ),
        Turn(
            "user",
            (
                ToolResultBlock("1", "result of 1", False),
                ToolResultBlock("2", "result of 2", False),
            ),
        ),
        Turn("assistant", (TextBlock("Done."),)),
    )


def test_words_after_the_last_call_stand_before_its_result() -> None:
    turns = turns_of([said("go"), answer(call("1"), TextPart(text="Testing."), result("1"))])
    assert turns[1:] == (
        Turn("assistant", (ToolUse("1", "save_agent", {"name": "1"}), TextBlock("Testing."))),
        Turn("user", (ToolResultBlock("1", "result of 1", False),)),
    )


def test_an_interrupted_answer_is_gone_on_with_from_where_it_broke_off() -> None:
    broken = answer(TextPart(text="Half"), call("1"), status(StatusCode.INTERRUPTED))
    user, assistant, told = turns_of([said("go"), broken])
    assert assistant.blocks[0] == TextBlock("Half")
    lost, go_on = told.blocks
    assert isinstance(lost, ToolResultBlock)
    assert lost.is_error
    assert isinstance(go_on, TextBlock)
    assert "broke off here (interrupted)" in go_on.text
    assert user.role == told.role == "user"


def test_when_something_was_said_is_told_beside_it() -> None:
    [turn] = turns_of([said("go", timeZone="Asia/Seoul")])
    assert turn.blocks[1] == TextBlock(
        "<system-reminder>Said at 2026-11-22T12:00:00+00:00.</system-reminder>"
    )


PARTS = st.lists(
    st.one_of(
        st.sampled_from(["hello", " ", ""]).map(lambda text: TextPart(text=text)),
        st.sampled_from("123").map(call),
        st.sampled_from("123").map(result),
        st.sampled_from(list(StatusCode)).map(status),
    ),
    max_size=8,
)


@given(st.lists(PARTS, min_size=1, max_size=3))
def test_whatever_an_answer_was_the_turns_are_what_a_model_api_takes(
    answers: list[list[Part]],
) -> None:
    messages = [each for parts in answers for each in (said("go"), answer(*parts))]
    turns = turns_of([*messages, said("on")])
    assert turns[0].role == turns[-1].role == "user"
    assert all(a.role != b.role for a, b in pairwise(turns))
    open_calls: list[str] = []
    for turn in turns:
        answered = [each.call for each in turn.blocks if isinstance(each, ToolResultBlock)]
        if turn.role == "user":
            assert sorted(answered) == sorted(open_calls)
        assert turn.blocks
        open_calls = [each.id for each in turn.blocks if isinstance(each, ToolUse)]


STEPS = st.lists(
    st.lists(st.one_of(st.just("call"), st.sampled_from(["hello", " "])), min_size=1, max_size=4),
    max_size=4,
)


def parts_of(steps: list[list[str]]) -> list[Part]:
    """Of an answer: what each answer of the model held, and after it the results of its calls."""
    parts: list[Part] = []
    for number, step in enumerate(steps):
        ids = [f"{number}-{at}" for at, _ in enumerate(step)]
        parts += [
            call(id_) if each == "call" else TextPart(text=each)
            for id_, each in zip(ids, step, strict=True)
        ]
        parts += [result(id_) for id_, each in zip(ids, step, strict=True) if each == "call"]
    return parts


@given(STEPS, st.integers(0, 20))
def test_every_result_that_there_was_is_told_and_no_other_one(
    steps: list[list[str]], broken_at: int
) -> None:
    parts = parts_of(steps)[:broken_at]
    turns = turns_of([said("go"), answer(*parts, status(StatusCode.INTERRUPTED))])
    told = [each for turn in turns for each in turn.blocks if isinstance(each, ToolResultBlock)]
    there_were = [each.call_id for each in parts if isinstance(each, ResultPart)]
    assert [each for each in told if not each.is_error] == [
        ToolResultBlock(each, f"result of {each}", False) for each in there_were
    ]
    called = [each.id for each in parts if isinstance(each, ToolCallPart)]
    assert sorted(each.call for each in told) == sorted(called)
    assert turns[-1].role == "user"


def test_what_there_is_no_room_for_is_left_out_from_the_start() -> None:
    long = "x" * (MOST_CHARACTERS // 2)
    messages = [said(long), answer(TextPart(text=long)), said("now"), answer()]
    assert newest(messages) == tuple(messages[2:])
    assert newest(messages[2:]) == tuple(messages[2:])
    assert newest([said(long * 3)]) != ()
