"""What the real APIs refuse, the scripted server refuses too, with the field's name."""

import json
from collections.abc import Mapping
from copy import deepcopy

import pytest
from pydantic import JsonValue

from heliostat_json.objects import JsonObject, object_at
from heliostat_scripted.apis import Api
from heliostat_scripted.callers import Keys
from heliostat_scripted.refusals import Refusal, RefusedError, refusal_body
from heliostat_scripted.requests import Incoming, understand
from heliostat_scripted.scenario import Scenario
from heliostat_scripted.scenario_selection import ScenarioSelection
from heliostat_scripted.signatures import signature_of, signature_of_call

KEY = "sk-secret"
AUTH = {
    Api.MESSAGES: {"x-api-key": KEY, "anthropic-version": "2023-06-01"},
    Api.CHAT: {"authorization": f"Bearer {KEY}"},
    Api.GEMINI: {"x-goog-api-key": KEY},
}
SCENARIO = Scenario.model_validate(
    {
        "description": "d",
        "prices": dict.fromkeys(
            ("input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h"), "1"
        ),
        "turns": [{"steps": [{"text": "a"}]}],
    }
)
SELECTION = ScenarioSelection({"hello": SCENARIO})
MESSAGES: JsonObject = {
    "model": "hello",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral"}}],
    "tools": [{"name": "Bash", "input_schema": {"type": "object"}}],
    "messages": [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": signature_of("Hm.")},
                {"type": "text", "text": "I run it."},
                {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}},
                {"type": "tool_use", "id": "t2", "name": "Bash", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "one"},
                {"type": "tool_result", "tool_use_id": "t2", "content": "two", "is_error": True},
                {"type": "text", "text": "go on"},
            ],
        },
    ],
}
CHAT: JsonObject = {
    "model": "hello",
    "tools": [{"type": "function", "function": {"name": "Bash", "parameters": {"type": "object"}}}],
    "messages": [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}},
                {"id": "t2", "type": "function", "function": {"name": "Bash", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "t2", "content": "two"},
        {"role": "tool", "tool_call_id": "t1", "content": "one"},
    ],
}
GEMINI: JsonObject = {
    "systemInstruction": {"parts": [{"text": "be kind"}]},
    "generationConfig": {"maxOutputTokens": 100, "thinkingConfig": {"includeThoughts": True}},
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "Bash",
                    "parameters": {"type": "OBJECT", "properties": {"c": {"type": "STRING"}}},
                }
            ]
        }
    ],
    "contents": [
        {"role": "user", "parts": [{"text": "hi"}]},
        {
            "role": "model",
            "parts": [
                {"text": "Hm.", "thought": True},
                {
                    "functionCall": {"name": "Bash", "args": {"c": "a"}},
                    "thoughtSignature": signature_of_call("Bash", {"c": "a"}),
                },
                {"functionCall": {"name": "Bash", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "Bash", "response": {"output": "one"}}},
                {"functionResponse": {"name": "Bash", "response": {"error": "two"}}},
            ],
        },
    ],
}
GOOD = {Api.MESSAGES: MESSAGES, Api.CHAT: CHAT, Api.GEMINI: GEMINI}


def changed(document: JsonObject, path: str, value: JsonValue) -> JsonObject:
    """`document` with the field at the dotted path set, or (value "DELETE") taken out."""
    copy = deepcopy(document)
    place: JsonValue = copy
    *before, last = path.split(".")
    for step in before:
        place = place[int(step)] if isinstance(place, list) else object_at({"": place}, "")[step]
    if isinstance(place, list):
        place[int(last) : int(last) + 1] = [] if value == "DELETE" else [value]
    elif isinstance(place, dict):
        place[last] = value
        if value == "DELETE":
            del place[last]
    return copy


def refusal(
    api: Api,
    document: JsonObject | bytes,
    headers: Mapping[str, str] | None = None,
    model: str = "hello",
) -> Refusal | None:
    """What the server says to a request; None when it takes it."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    told = {"content-type": "application/json", **(AUTH[api] if headers is None else headers)}
    try:
        understand(Incoming(api, told, body, model=model), Keys({"team": KEY}), SELECTION)
    except RefusedError as error:
        return error.refusal
    return None


@pytest.mark.parametrize("api", list(Api))
def test_a_good_request_is_taken(api: Api) -> None:
    assert refusal(api, GOOD[api]) is None


@pytest.mark.parametrize("api", list(Api))
def test_the_headers_of_a_dialect_are_needed(api: Api) -> None:
    for name in AUTH[api]:
        left = {key: value for key, value in AUTH[api].items() if key != name}
        refused = refusal(api, GOOD[api], left)
        assert refused is not None
        status = 400 if name == "anthropic-version" else 403 if api is Api.GEMINI else 401
        assert (refused.status, name in refused.message.lower()) == (status, True)
    other = refusal(api, GOOD[api], {**AUTH[api], "content-type": "text/plain"})
    assert other is not None
    assert other.field == "content-type"


@pytest.mark.parametrize(
    ("api", "status"), [(Api.MESSAGES, 401), (Api.CHAT, 401), (Api.GEMINI, 400)]
)
def test_a_wrong_key_is_refused_and_not_repeated(api: Api, status: int) -> None:
    wrong = {name: value.replace(KEY, "sk-wrong") for name, value in AUTH[api].items()}
    refused = refusal(api, GOOD[api], wrong)
    assert refused is not None
    assert refused.status == status
    assert b"sk-wrong" not in refusal_body(api, refused, "req")


def test_another_dialects_key_is_none() -> None:
    for api in Api:
        for other in set(Api) - {api, Api.CHAT if api is Api.MESSAGES else api}:
            headers = {**AUTH[other], "anthropic-version": "2023-06-01"}
            refused = refusal(api, GOOD[api], headers)
            assert refused is not None, (api, other)


def test_a_bearer_key_is_taken_by_messages_but_not_two_keys() -> None:
    bearer = {"authorization": f"Bearer {KEY}", "anthropic-version": "x"}
    assert refusal(Api.MESSAGES, MESSAGES, bearer) is None
    leaked = refusal(
        Api.MESSAGES, MESSAGES, {**AUTH[Api.MESSAGES], "authorization": "Bearer other"}
    )
    assert leaked is not None
    assert leaked.status == 401


@pytest.mark.parametrize("api", list(Api))
def test_an_unknown_model_is_404(api: Api) -> None:
    document = GOOD[api] if api is Api.GEMINI else changed(GOOD[api], "model", "nobody")
    refused = refusal(api, document, model="nobody")
    assert refused is not None
    assert (refused.status, refused.kind, "nobody" in refused.message) == (
        404,
        "not_found_error",
        True,
    )


@pytest.mark.parametrize("api", list(Api))
@pytest.mark.parametrize("body", [b"", b"[]", b'{"model": ', b"null"])
def test_a_body_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    refused = refusal(api, body)
    assert refused is not None
    assert refused.status == 400


TURN = "messages.1.content"
RESULTS = "messages.2.content"
BAD_MESSAGES: list[tuple[str, JsonValue, str]] = [
    ("max_tokens", "DELETE", "max_tokens"),
    ("max_tokens", 0, "max_tokens"),
    ("model", "DELETE", "model"),
    ("messages", [], "messages"),
    ("stream", "yes", "stream"),
    ("stream_options", {"include_usage": True}, "stream_options"),
    ("messages.0.role", "tool", "messages.0.role"),
    ("messages.0.role", "assistant", "messages.0.role"),
    ("messages.0.content", "", "messages.0.content"),
    ("messages.0.content", [{"type": "text", "text": ""}], "messages.0.content.0.text"),
    ("messages.0.content", [{"type": "image_url"}], "messages.0.content.0.type"),
    ("messages.0.content", [{"type": "tool_use"}], "messages.0.content.0"),
    (f"{TURN}.0.signature", "invented", f"{TURN}.0.signature"),
    (f"{TURN}.0.signature", "DELETE", f"{TURN}.0.signature"),
    (f"{TURN}.2.id", "", f"{TURN}.2.id"),
    (f"{TURN}.2.input", "{}", f"{TURN}.2.input"),
    (f"{TURN}.2.id", "t2", TURN),
    (f"{TURN}.2", "DELETE", RESULTS),
    (f"{RESULTS}.1", "DELETE", "messages.1"),
    (f"{RESULTS}.1.tool_use_id", "t1", "messages.1"),
    (f"{RESULTS}.0.tool_use_id", "other", RESULTS),
    (f"{RESULTS}.0", {"type": "text", "text": "first"}, f"{RESULTS}.1"),
    ("messages.2", "DELETE", "messages.1"),
    ("tools.0.input_schema", "DELETE", "tools.0.input_schema"),
    ("tools.0.name", "no spaces", "tools.0.name"),
    ("tool_choice", {"type": "tool", "name": "Other"}, "tool_choice.name"),
    ("thinking", {"type": "enabled", "budget_tokens": 1024}, "max_tokens"),
    ("thinking", {"type": "enabled"}, "thinking.budget_tokens"),
    (
        "messages.0.content",
        [
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/bmp", "data": "QQ=="},
            }
        ],
        "messages.0.content.0.source.media_type",
    ),
    (
        "messages.0.content",
        [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}] * 4,
        "cache_control",
    ),
]


@pytest.mark.parametrize(("path", "value", "field"), BAD_MESSAGES)
def test_messages_refuses(path: str, value: JsonValue, field: str) -> None:
    refused = refusal(Api.MESSAGES, changed(MESSAGES, path, value))
    assert refused is not None
    assert (refused.status, refused.field) == (400, field)
    assert refused.message.startswith(field)


BAD_CHAT: list[tuple[str, JsonValue, str]] = [
    ("model", "DELETE", "model"),
    ("messages", [], "messages"),
    ("anthropic_version", "x", "anthropic_version"),
    ("max_tokens", "many", "max_tokens"),
    ("n", 2, "n"),
    ("stream_options", {"include_usage": True}, "stream_options"),
    ("messages.0.role", "robot", "messages[0].role"),
    ("messages.1.content", None, "messages[1].content"),
    ("messages.1.content.0.type", "image", "messages[1].content[0].type"),
    (
        "messages.1.content.0",
        {"type": "image_url", "image_url": "https://a"},
        "messages[1].content[0].image_url",
    ),
    ("messages.2.tool_calls", [], "messages[2].content"),
    (
        "messages.2.tool_calls.0.function.arguments",
        {},
        "messages[2].tool_calls[0].function.arguments",
    ),
    ("messages.2.tool_calls.0.id", "t2", "messages[2].tool_calls"),
    ("messages.2", "DELETE", "messages[2].role"),
    ("messages.3.tool_call_id", "other", "messages[3].tool_call_id"),
    ("messages.3", "DELETE", "messages[3]"),
    ("tools.0.type", "custom", "tools[0].type"),
    ("tools.0.function.name", "no spaces", "tools[0].function.name"),
    ("tools.0.function.parameters", {"type": "array"}, "tools[0].function.parameters"),
    ("tools", "DELETE", ""),
    ("tool_choice", {"type": "function", "function": {"name": "Other"}}, "tool_choice"),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {}},
        "response_format.json_schema.name",
    ),
    ("stop", ["a"] * 5, "stop"),
]


@pytest.mark.parametrize(("path", "value", "field"), BAD_CHAT)
def test_chat_refuses(path: str, value: JsonValue, field: str) -> None:
    document = changed(CHAT, path, value)
    if path == "tools":
        document["parallel_tool_calls"], field = True, "parallel_tool_calls"
    refused = refusal(Api.CHAT, document)
    assert refused is not None
    assert (refused.status, refused.field) == (400, field)
    assert json.loads(refusal_body(Api.CHAT, refused, "r"))["error"]["param"] == field


CALL = "contents.1.parts.1"
SCHEMA = "tools.0.functionDeclarations.0.parameters"
BAD_GEMINI: list[tuple[str, JsonValue, str]] = [
    ("contents", "DELETE", "contents"),
    ("contents", [], "contents"),
    ("messages", [], "messages"),
    ("stream", True, "stream"),
    ("generationConfig.max_tokens", 5, "generation_config.max_tokens"),
    ("generationConfig.maxOutputTokens", 0, "generation_config.max_output_tokens"),
    ("generationConfig.responseJsonSchema", {}, "generation_config.response_mime_type"),
    ("contents.0.role", "assistant", "contents[0].role"),
    ("contents.0.parts", [], "contents[0].parts"),
    ("contents.0.parts.0", {"type": "text", "text": "hi"}, "contents[0].parts[0].type"),
    ("contents.0.parts.0", {"thought": True}, "contents[0].parts[0].data"),
    (
        "contents.0.parts.0",
        {"text": "a", "inlineData": {"mimeType": "image/png", "data": "QQ=="}},
        "contents[0].parts[0]",
    ),
    (f"{CALL}.functionCall.args", "{}", "contents[1].parts[1].function_call.args"),
    (f"{CALL}.functionCall.tool_call_id", "a", "contents[1].parts[1].function_call.tool_call_id"),
    (f"{CALL}.thoughtSignature", "aW52ZW50ZWQ=", "contents[1].parts[1].thought_signature"),
    (
        "contents.2.parts.0.functionResponse.response",
        "one",
        "contents[2].parts[0].function_response.response",
    ),
    ("contents.2.parts.1", "DELETE", "contents[2]"),
    ("contents.2.parts.0.functionResponse.name", "Other", "contents[2]"),
    ("contents.2", "DELETE", "contents"),
    ("contents.0", "DELETE", "contents[0]"),
    (f"{SCHEMA}.$schema", "x", "tools.function_declarations[0].parameters.$schema"),
    (f"{SCHEMA}.type", "TEXT", "tools.function_declarations[0].parameters.type"),
    (
        f"{SCHEMA}.properties.c.const",
        "x",
        "tools.function_declarations[0].parameters.properties[c].const",
    ),
    ("tools.0.name", "Bash", "tools[0].name"),
    (
        "toolConfig",
        {"functionCallingConfig": {"mode": "auto"}},
        "tool_config.function_calling_config.mode",
    ),
]


@pytest.mark.parametrize(("path", "value", "field"), BAD_GEMINI)
def test_gemini_refuses(path: str, value: JsonValue, field: str) -> None:
    refused = refusal(Api.GEMINI, changed(GEMINI, path, value))
    assert refused is not None
    assert (refused.status, refused.field) == (400, field)


def test_gemini_takes_both_spellings() -> None:
    document: JsonObject = {
        "contents": GEMINI["contents"],
        "system_instruction": GEMINI["systemInstruction"],
        "generation_config": {"max_output_tokens": 5},
    }
    assert refusal(Api.GEMINI, document) is None


def test_the_newest_gemini_models_demand_a_signature() -> None:
    selection = ScenarioSelection({"hello": SCENARIO}, default="hello")
    document = changed(GEMINI, f"{CALL}.thoughtSignature", "DELETE")
    body = json.dumps(document).encode()
    headers = {"content-type": "application/json", **AUTH[Api.GEMINI]}
    for model, accepted in (("gemini-2.5-pro", True), ("gemini-4-argon", False)):
        incoming = Incoming(Api.GEMINI, headers, body, model=model)
        if accepted:
            understand(incoming, Keys({}), selection)
        else:
            with pytest.raises(RefusedError, match="missing a thought_signature"):
                understand(incoming, Keys({}), selection)
