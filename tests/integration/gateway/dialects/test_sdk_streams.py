"""The official SDKs add up our golden streams to the same answer as we do."""

from pathlib import Path

import anthropic
import httpx2
import openai
import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import objects
from heliostat_gateway.dialects.events import fold
from heliostat_gateway.dialects.translation import translate_answer
from heliostat_json.objects import JsonObject, dump_object, list_at, object_at, parse_object
from support.golden import (
    CALLERS,
    PROVIDERS,
    asked_by,
    find_cases,
    find_outputs,
    name_output,
)
from support.streams import CREATED, is_whole, objects_of, translated
from support.sums_of_streams import added_up, whole_answer, without_index

CASES = [
    pytest.param(case, source, target, id=f"{source}-{case.stem}-{target}")
    for source in PROVIDERS
    for case in find_cases("streams", source, ".sse")
    for target in CALLERS
    if target is not source
]


def golden(target: Dialect) -> list[Path]:
    """Streams for callers of one dialect that did not end in a failure."""
    return [path for path in find_outputs("streams", target, ".sse") if is_whole(path.read_text())]


def transport(path: Path) -> httpx2.MockTransport:
    """A server that gives one stream."""
    headers = {"content-type": "text/event-stream"}
    return httpx2.MockTransport(
        lambda _: httpx2.Response(200, headers=headers, content=path.read_bytes())
    )


@pytest.mark.parametrize("path", golden(Dialect.MESSAGES), ids=name_output)
def test_anthropics_sdk_reads_it(path: Path) -> None:
    if path.stem.startswith("tool_cut"):
        return  # half a call: the SDK keeps the half that it can read
    with (
        anthropic.DefaultHttpxClient(transport=transport(path)) as http,
        anthropic.Anthropic(api_key="k", base_url="http://gateway", http_client=http) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}]
        ) as stream,
    ):
        message = stream.get_final_message()
    seen = parse_object(message.to_json(exclude_unset=True, exclude_none=True).encode())
    assert plain(seen or {}) == plain(fold(objects_of(path.read_text())))


def plain(message: JsonObject) -> JsonObject:
    """What both ways of adding up say of a message; nulls, and what an SDK adds, left out."""
    blocks = [
        {name: block[name] for name in block if name != "parsed_output"}
        for block in objects(list_at(message, "content"))
    ]
    kept = ("id", "model", "stop_reason", "usage")
    return {**{name: message[name] for name in kept}, "content": [*blocks]}


@pytest.mark.parametrize("path", golden(Dialect.CHAT), ids=name_output)
def test_openais_sdk_reads_it(path: Path) -> None:
    with (
        openai.DefaultHttpxClient(transport=transport(path)) as http,
        openai.OpenAI(api_key="k", base_url="http://gateway/v1", http_client=http) as client,
        client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "Hello"}],
            stream=True,
            stream_options={"include_usage": True},
        ) as stream,
    ):
        chunks = [parse_object(chunk.to_json().encode()) or {} for chunk in stream]
    message, finish, usage = added_up(chunks)
    expected, reason, counted = added_up(objects_of(path.read_text()))
    assert (message, finish, usage) == (expected, reason, counted)
    for call in objects(list_at(without_index(message), "tool_calls")):
        assert parse_object(str(object_at(call, "function")["arguments"]).encode()) is not None
    assert dump_object(usage)


@pytest.mark.parametrize(("case", "source", "target"), CASES)
def test_a_stream_added_up_is_the_whole_answer(
    case: Path, source: Dialect, target: Dialect
) -> None:
    """The whole answer is the one that the same provider would have given without a stream."""
    raw = case.read_text()
    stream = translated([raw.encode()], source, target)
    if not is_whole(stream):
        return
    answer = whole_answer(raw, source)
    expected = translate_answer(answer, source, target, asked_by(target), CREATED)
    if target is Dialect.MESSAGES:
        assert fold(objects_of(stream)) == expected
        return
    [choice] = objects(list_at(expected, "choices"))
    message, finish, usage = added_up(objects_of(stream))
    assert without_index(message) == choice["message"]
    assert finish == [choice["finish_reason"]]
    assert usage == expected["usage"]
