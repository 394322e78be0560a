"""What a route may change in a request, and nothing beside it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_gateway.access.callers import Caller, KeyKind
from heliostat_gateway.calls.outgoing import (
    Edit,
    SetMember,
    ask_for_usage,
    cache_prefix,
    drop_foreign_parts,
    edit_bytes,
    edit_document,
    lower_output,
    name_model,
    put_system_first,
    set_defaults,
)
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.citations import citations_of_chat
from heliostat_gateway.routes.plans import Plan
from heliostat_json.objects import JsonObject


def edited(document: JsonObject, edits: list[Edit]) -> JsonObject:
    """The edited request; bytes and document say the same."""
    found = edit_document(document, edits)
    assert json.loads(edit_bytes(json.dumps(document).encode(), edits)) == found
    return found


def test_a_model_by_its_own_name_changes_no_byte() -> None:
    assert name_model({"model": "m"}, "m") == []
    assert edited({"model": "fast", "x": 1}, name_model({"model": "fast"}, "m")) == {
        "model": "m",
        "x": 1,
    }


def test_defaults_never_override() -> None:
    document: JsonObject = {"max_tokens": 5}
    edits = set_defaults(document, {"max_tokens": 9, "top_k": 3})
    assert edited(document, edits) == {"max_tokens": 5, "top_k": 3}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, {"system": "P"}),
        ({"system": "own"}, {"system": "P\n\nown"}),
        (
            {"system": [{"type": "text", "text": "own"}]},
            {"system": [{"type": "text", "text": "P"}, {"type": "text", "text": "own"}]},
        ),
    ],
)
def test_a_persona_speaks_before_the_callers_system_text(
    document: JsonObject, expected: JsonObject
) -> None:
    assert edited(document, put_system_first(document, Dialect.MESSAGES, "P")) == expected


def test_a_persona_is_the_first_message_of_a_chat() -> None:
    document: JsonObject = {"messages": [{"role": "user", "content": "u"}]}
    assert edited(document, put_system_first(document, Dialect.CHAT, "P")) == {
        "messages": [{"role": "system", "content": "P"}, {"role": "user", "content": "u"}]
    }


@given(st.none() | st.integers(0, 100), st.none() | st.integers(0, 100), st.integers(1, 100))
def test_a_strict_cap_is_never_exceeded_nor_raised(
    older: int | None, newer: int | None, most: int
) -> None:
    given_limits: dict[str, JsonValue] = {"max_tokens": older, "max_completion_tokens": newer}
    document: JsonObject = {name: n for name, n in given_limits.items() if n is not None}
    found = edited(document, lower_output(document, Dialect.CHAT, most))
    limits = [n for n in found.values() if isinstance(n, int)]
    asked = [n for n in (older, newer) if n is not None]
    assert limits
    assert all(n <= most for n in limits)
    assert all(n in [*asked, most] for n in limits)


def test_usage_is_asked_for_in_streams_that_do_not() -> None:
    options: JsonObject = {"stream": True, "stream_options": {"x": 1}}
    assert edited(options, ask_for_usage(options))["stream_options"] == {
        "x": 1,
        "include_usage": True,
    }
    assert ask_for_usage({"stream": False}) == []
    assert ask_for_usage({"stream": True, "stream_options": {"include_usage": True}}) == []


SIGNED: JsonObject = {"type": "thinking", "thinking": "a", "signature": "c2lnbmVk"}
UNSIGNED: JsonObject = {"type": "thinking", "thinking": "b", "signature": ""}
OF_GEMINI: JsonObject = {"type": "thinking", "thinking": "", "signature": "gemini|text||c2ln"}
REDACTED: JsonObject = {"type": "redacted_thinking", "data": "x"}
OF_OPENROUTER: JsonObject = {"type": "thinking", "thinking": "c", "signature": "openrouter|[{}]"}
TEXT: JsonObject = {"type": "text", "text": "t"}
blocks = st.sampled_from([SIGNED, UNSIGNED, OF_GEMINI, OF_OPENROUTER, REDACTED, TEXT])
contents: st.SearchStrategy[JsonValue] = st.text(max_size=3) | st.lists(blocks, max_size=5)
conversations = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": contents}),
    max_size=4,
)


@given(conversations, st.sampled_from([None, 1, 3]))
def test_only_thinking_that_anthropic_did_not_sign_goes(
    messages: list[dict[str, JsonValue]], indent: int | None
) -> None:
    document: JsonObject = {"a": [1], "messages": [*messages], "z": {"messages": []}}
    edits = drop_foreign_parts(document)
    expected: list[JsonValue] = []
    for message in messages:
        content = message["content"]
        if isinstance(content, list):
            own = [block for block in content if block not in (UNSIGNED, OF_GEMINI, OF_OPENROUTER)]
            message = {**message, "content": own or content}
        expected.append(message)
    assert edited(document, edits) == {**document, "messages": expected}
    body = json.dumps(document, indent=indent).encode()
    assert json.loads(edit_bytes(body, edits)) == {**document, "messages": expected}
    if expected == messages:
        assert edits == []


def test_what_stays_of_a_message_keeps_its_bytes() -> None:
    thought = b'{"type":"thinking","thinking":"x","signature":""}'
    kept = b'{ "type" : "text","text": "\\u00e9, ]" }'
    for before, after in (
        (b"[" + thought + b" ,\n" + kept + b"]", b"[" + kept + b"]"),
        (b"[" + kept + b" , " + thought + b"\n]", b"[" + kept + b"\n]"),
        (b"[" + kept + b"," + thought + b"," + kept + b"]", b"[" + kept + b"," + kept + b"]"),
    ):
        body = b'{"messages":[{"role":"user"} , {"content":' + before + b'}],"x":1.50}'
        document: JsonObject = json.loads(body)
        found = edit_bytes(body, drop_foreign_parts(document))
        assert found == b'{"messages":[{"role":"user"} , {"content":' + after + b'}],"x":1.50}'


def test_only_citations_that_anthropic_did_not_make_go() -> None:
    cited: JsonObject = {"url": "https://a", "encrypted_index": "Eo8BCioIAhgBIiQ"}
    own: JsonObject = {"type": "text", "text": "t", "citations": [cited]}
    [foreign] = citations_of_chat([{"url_citation": {"url": "https://a"}}], "t")
    theirs: JsonObject = {"type": "text", "text": "u", "citations": [foreign]}
    message: JsonObject = {"role": "assistant", "content": [UNSIGNED, own, theirs]}
    document: JsonObject = {"messages": [{"role": "user", "content": "u"}, message]}
    changed = edited(document, drop_foreign_parts(document))
    assert changed["messages"] == [
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": [own, {**theirs, "citations": None}]},
    ]


@pytest.mark.parametrize(
    ("caches", "size", "mark", "expected"),
    [
        (True, 20_000, "", True),
        (False, 20_000, "", False),
        (True, 10_000, "", False),  # Anthropic caches nothing so short
        (True, 20_000, '"cache_control": {"type": "ephemeral"}, ', False),  # the caller's own way
    ],
)
def test_a_route_may_cache_long_prompts_that_mark_nothing(
    caches: bool, size: int, mark: str, expected: bool
) -> None:
    body = f'{{{mark}"messages": "{"x" * size}"}}'.encode()
    caller = Caller("k", KeyKind.SERVICE, "k")
    request = ModelRequest(Dialect.MESSAGES, "/v1/messages", "", [], body, {}, caller)
    found = cache_prefix(request, Plan("m", (), caches_prefix=caches))
    assert found == ([SetMember("cache_control", {"type": "ephemeral"})] if expected else [])
