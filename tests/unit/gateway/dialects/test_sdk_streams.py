"""The official SDKs add up our golden streams to the same answer as we do."""

from pathlib import Path

import anthropic
import httpx2
import openai
import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import objects
from heliostat_gateway.dialects.events import fold
from heliostat_gateway.wire import JsonObject, dump_object, list_at, object_at, parse_object
from support.golden import PROVIDERS, find_cases, output_of
from support.streams import added_up, is_whole, objects_of, without_index


def golden(target: Dialect) -> list[Path]:
    """Streams for callers of one dialect that did not end in a failure."""
    outputs = [
        output_of(case, target)
        for source in PROVIDERS
        if source is not target
        for case in find_cases("streams", source, ".sse")
    ]
    return [path for path in outputs if is_whole(path.read_text())]


def transport(path: Path) -> httpx2.MockTransport:
    """A server that gives one stream."""
    headers = {"content-type": "text/event-stream"}
    return httpx2.MockTransport(
        lambda _: httpx2.Response(200, headers=headers, content=path.read_bytes())
    )


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", golden(Dialect.MESSAGES), ids=name)
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


@pytest.mark.parametrize("path", golden(Dialect.CHAT), ids=name)
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
