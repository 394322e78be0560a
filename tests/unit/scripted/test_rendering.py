"""A streamed answer says what the whole one says, in each dialect, and costs the same."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_gateway.sse import EventReader
from heliostat_json.objects import JsonObject, parse_object
from heliostat_scripted.apis import Api, told_usage
from heliostat_scripted.conversation import Conversation, build_conversation
from heliostat_scripted.lengths import limited_script
from heliostat_scripted.reading.chat import hear_chat
from heliostat_scripted.reading.gemini import hear_gemini
from heliostat_scripted.rendering import Piece, Rendering, Report
from heliostat_scripted.rendering.chat import ChatRendering
from heliostat_scripted.rendering.gemini import GeminiRendering
from heliostat_scripted.rendering.messages import MessagesRendering
from heliostat_scripted.scenario import Pace, UsageSpec
from heliostat_scripted.script import Action, Script, Text, Thinking, ToolUse, visible
from heliostat_scripted.stream_events import streamed_events, whole_events

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
VALUES: st.SearchStrategy[JsonValue] = st.none() | st.booleans() | st.integers() | WORDS
TOOLS = st.builds(
    ToolUse,
    st.uuids().map(lambda uuid: f"toolu_{uuid.hex[:12]}"),
    st.sampled_from(["Bash", "Write"]),
    st.dictionaries(WORDS, VALUES, max_size=3),
)
ACTIONS: st.SearchStrategy[tuple[Action, ...]] = st.lists(
    st.one_of(st.builds(Text, WORDS), st.builds(Thinking, WORDS), TOOLS),
    max_size=5,
    unique_by=lambda action: action.id if isinstance(action, ToolUse) else id(action),
).map(tuple)
COUNT = st.integers(0, 10_000)
USAGES = st.builds(
    lambda kinds, thinking: UsageSpec.model_validate(
        dict(zip(("input", "cacheRead", "cacheWrite5m", "cacheWrite1h"), kinds, strict=True))
        | {"output": thinking + kinds[0], "thinking": thinking}
    ),
    st.tuples(COUNT, COUNT, COUNT, COUNT),
    COUNT,
)
SCRIPTS = st.builds(
    lambda actions, usage, size: Script(
        "msg_1", "hello", actions, usage, "end_turn", Pace(characters=size)
    ),
    ACTIONS,
    USAGES,
    st.integers(1, 50),
)


def rendering_of(api: Api, script: Script) -> Rendering:
    if api is Api.CHAT:
        return ChatRendering(script, include_usage=True)
    if api is Api.GEMINI:
        return GeminiRendering(script, thoughts=True)
    return MessagesRendering(script)


def pieces(api: Api, script: Script, *, stream: bool) -> list[Piece]:
    play = streamed_events if stream else whole_events
    played = play(script, rendering_of(api, script), None)
    return [piece for piece in played if isinstance(piece, Piece)]


def events(played: list[Piece]) -> list[JsonObject]:
    """The data of each event; each piece is whole events."""
    found: list[JsonObject] = []
    for piece in played:
        reader = EventReader()
        for event in reader.feed(piece.raw):
            if event.data != b"[DONE]":
                document = parse_object(event.data)
                assert document is not None
                found.append(document)
        assert reader.held == b""
    return found


def texts(value: JsonValue, name: str) -> str:
    """Every text under `name`, in order."""
    if isinstance(value, list):
        return "".join(texts(item, name) for item in value)
    if not isinstance(value, dict):
        return ""
    return "".join(
        each if key == name and isinstance(each, str) else texts(each, name)
        for key, each in value.items()
    )


NAMES = {
    Api.MESSAGES: ("text", "thinking"),
    Api.CHAT: ("content", "reasoning_content", "arguments"),
    Api.GEMINI: ("text",),
}


@pytest.mark.parametrize("api", list(Api))
@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_a_stream_says_what_the_whole_answer_says(api: Api, script: Script) -> None:
    streamed = pieces(api, script, stream=True)
    (whole,) = pieces(api, script, stream=False)
    document = parse_object(whole.raw)
    assert document is not None
    told = [{**each, "type": None} for each in events(streamed)]
    plain = {**document, "type": None}
    for name in NAMES[api]:
        assert texts([*told], name) == texts(plain, name)
    assert sum(piece.characters for piece in streamed) == whole.characters
    if api is not Api.GEMINI:
        assert whole.characters == visible(script.actions)
    assert [piece.report for piece in streamed].count(Report.FINAL) == 1
    assert whole.report is Report.FINAL


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_gemini_counts_arguments_without_spaces(script: Script) -> None:
    (whole,) = pieces(Api.GEMINI, script, stream=False)
    counted = sum(
        len(json.dumps(action.input, separators=(",", ":"), ensure_ascii=False))
        if isinstance(action, ToolUse)
        else len(action.text)
        for action in script.actions
        if isinstance(action, ToolUse | Text | Thinking)
    )
    assert whole.characters == counted


@pytest.mark.parametrize("api", list(Api))
@given(USAGES)
def test_no_token_gets_lost_on_the_way_to_a_dialect(api: Api, usage: UsageSpec) -> None:
    told = told_usage(api, usage)
    kinds = (told.input, told.cache_read, told.cache_write5m, told.cache_write1h)
    truth = (usage.input, usage.cache_read, usage.cache_write5m, usage.cache_write1h)
    assert sum(kinds) == sum(truth)
    assert (told.output, told.thinking) == (usage.output, usage.thinking)


@given(SCRIPTS, st.integers(1, 200))
def test_a_limit_is_kept(script: Script, most: int) -> None:
    limited = limited_script(script, most)
    if script.usage.output <= most:
        assert limited is script
        return
    assert (limited.usage.output, limited.stop_reason) == (most, "max_tokens")
    assert limited.usage.thinking <= most
    assert visible(limited.actions) <= most * 4


def seen_by_chat(*messages: JsonValue) -> Conversation:
    return build_conversation(hear_chat({"model": "m", "messages": [*messages]}), 10)


def test_a_chat_with_tool_results_is_understood() -> None:
    call: JsonValue = {"id": "a", "type": "function", "function": {"name": "Bash"}}
    before: list[JsonValue] = [
        {"role": "developer", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [call, call]},
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "two"}]},
    ]
    seen = seen_by_chat(*before)
    assert (seen.system.strip(), seen.prompt, seen.said) == ("be kind", "hi", "hi")
    assert (seen.result, seen.last_tool, seen.turn) == ("one\ntwo", "Bash", 1)
    more = seen_by_chat(*before, {"role": "user", "content": "go on"})
    assert (more.result, more.said, more.turn) == ("one\ntwo", "go on", 1)
    later = seen_by_chat(
        *before, {"role": "assistant", "content": "done"}, {"role": "user", "content": "and?"}
    )
    assert (later.result, later.said, later.turn) == ("", "and?", 2)


def test_a_gemini_conversation_is_understood() -> None:
    request: JsonObject = {
        "system_instruction": {"parts": [{"text": "be kind"}]},
        "tools": [{"function_declarations": [{"name": "Bash"}]}],
        "generationConfig": {
            "responseSchema": {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}
        },
        "contents": [
            {"parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "Bash", "args": {}}}]},
            {"parts": [{"functionResponse": {"name": "Bash", "response": {"error": "no"}}}]},
        ],
    }
    seen = build_conversation(hear_gemini("m", request, stream=True), 10)
    assert (seen.system, seen.prompt, seen.result) == ("be kind", "hi", "no")
    assert (seen.result_error, seen.last_tool, seen.turn) == (True, "Bash", 1)
    assert seen.offers == {"Bash"}
    assert seen.schema == {"type": "object", "properties": {"n": {"type": "integer"}}}
