"""What a conversation keeps on its way to another model, and what in it is refused by name."""

import base64

import pytest
from pydantic import JsonValue

from heliostat_gateway.dialects.chat_history import read_history
from heliostat_gateway.dialects.fields import UntranslatableError
from heliostat_gateway.dialects.messages_calls import write_messages_request
from heliostat_gateway.dialects.signatures import SignedPart, ThoughtSignature, read_signature
from heliostat_json.objects import JsonObject, list_at, object_at

QUESTION: JsonObject = {"role": "user", "content": "Weather?"}


def called(arguments: str = "{}", name: str = "look", id_: str = "call_1") -> JsonObject:
    function: JsonObject = {"name": name, "arguments": arguments}
    calls: list[JsonValue] = [{"id": id_, "type": "function", "function": function}]
    return {"role": "assistant", "tool_calls": calls}


def result(content: JsonValue = "3", id_: str = "call_1") -> JsonObject:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def with_file(data: str) -> JsonObject:
    return {"role": "user", "content": [{"type": "file", "file": {"file_data": data}}]}


def with_image(url: str) -> JsonObject:
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([{"role": "narrator", "content": "x"}], "messages[0].role"),
        ([called("[1]")], "messages[0].tool_calls[0].function.arguments"),
        ([called(id_="")], "messages[0].tool_calls[0].id"),
        ([called(name="")], "messages[0].tool_calls[0].name"),
        ([QUESTION, result()], "messages[1].tool_call_id"),
        ([called(), result([{"type": "image_url"}])], "messages[1].content[0].type"),
        ([with_image("data:image/png,x")], "messages[0].content[0].image_url.url"),
        ([with_file("report.pdf")], "messages[0].content[0].file.file_data"),
        ([with_file("data:image/png;base64,AA==")], "messages[0].content[0].file.file_data"),
        ([with_file("data:text/plain;base64,//4=")], "messages[0].content[0].file.file_data"),
    ],
)
def test_what_can_not_be_said_is_refused_by_its_field(
    messages: list[JsonObject], field: str
) -> None:
    with pytest.raises(UntranslatableError) as refused:
        read_history({"messages": [*messages]})
    assert refused.value.field == field


def test_instructions_come_first_or_stand_where_they_are() -> None:
    late: JsonObject = {"role": "developer", "content": "Briefly."}
    empty: JsonObject = {"role": "system", "content": ""}
    first: JsonObject = {"role": "system", "content": "Be kind."}
    read = read_history({"messages": [first, QUESTION, empty, late]})
    assert read["system"] == [{"type": "text", "text": "Be kind."}]
    assert [object_at({"m": each}, "m")["role"] for each in list_at(read, "messages")] == [
        "user",
        "system",
    ]


def test_results_that_follow_each_other_are_one_message() -> None:
    calls = called()
    more = [*list_at(calls, "tool_calls"), *list_at(called(id_="call_2"), "tool_calls")]
    messages: list[JsonValue] = [{**calls, "tool_calls": more}, result(), result("4", "call_2")]
    read = list_at(read_history({"messages": messages}), "messages")
    assert len(read) == 2
    results = list_at(object_at({"m": read[1]}, "m"), "content")
    assert [object_at({"r": each}, "r")["tool_use_id"] for each in results] == ["call_1", "call_2"]


def test_a_text_file_is_read_as_text() -> None:
    data = base64.b64encode("Umsätze".encode()).decode()
    (message,) = list_at(
        read_history({"messages": [with_file(f"data:text/plain;base64,{data}")]}), "messages"
    )
    (document,) = list_at(object_at({"m": message}, "m"), "content")
    source = object_at(object_at({"d": document}, "d"), "source")
    assert source == {"type": "text", "media_type": "text/plain", "data": "Umsätze"}


def test_a_message_of_foreign_thinking_alone_does_not_reach_anthropic() -> None:
    signed = str(ThoughtSignature(SignedPart.THOUGHT, "c2ln"))
    foreign: JsonObject = {"type": "thinking", "thinking": "Hm.", "signature": signed}
    own: JsonObject = {**foreign, "signature": "EqQB"}
    text: JsonObject = {"type": "text", "text": "Sunny."}
    alone: JsonObject = {"role": "assistant", "content": [foreign]}
    mixed: JsonObject = {"role": "assistant", "content": [foreign, own, text]}
    written = write_messages_request({"messages": [QUESTION, alone, mixed]})
    assert written["messages"] == [QUESTION, {"role": "assistant", "content": [own, text]}]


@pytest.mark.parametrize(
    "signature", ["EqQB", "gemini|", "gemini|text|c2ln", "gemini|dance||c2ln", "gemini|text||"]
)
def test_a_signature_that_gemini_can_not_have_made_is_not_its(signature: str) -> None:
    assert read_signature({"type": "thinking", "signature": signature}) is None


@pytest.mark.parametrize("part", SignedPart)
def test_a_signature_of_gemini_reads_back_as_it_was(part: SignedPart) -> None:
    signed = ThoughtSignature(part, "c2ln", "call|1")
    assert read_signature({"type": "thinking", "signature": str(signed)}) == signed
