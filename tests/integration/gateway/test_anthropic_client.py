"""The `anthropic` SDK, unmodified, through routes to providers of every dialect."""

import json
from collections.abc import Iterator

import anthropic
import pytest
from anthropic import transform_schema
from anthropic.types import (
    Message,
    MessageParam,
    TextBlock,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlock,
)

from support.gemini_types import GenerateBody, read_gemini_request

from .clients import HELLO, THOUGHT, Choice, requests_are_gemini_s
from .real_world import DIALECTS, ROUTES, World
from .samples import PDF, PNG

__all__ = ["requests_are_gemini_s"]

TOOL: ToolParam = {
    "name": "Bash",
    "description": "Runs a command.",
    "input_schema": {
        "type": "object",
        "properties": {"command": {"type": "string"}, "description": {"type": "string"}},
        "required": ["command"],
    },
}


@pytest.fixture(scope="module")
def sdk(world: World) -> Iterator[anthropic.Anthropic]:
    key = world.gateway.key("anthropic-sdk")
    with anthropic.Anthropic(base_url=world.gateway.url, api_key=key, max_retries=0) as client:
        yield client


def asyncs(world: World) -> anthropic.AsyncAnthropic:
    key = world.gateway.key("anthropic-sdk")
    return anthropic.AsyncAnthropic(base_url=world.gateway.url, auth_token=key, max_retries=0)


def ask(text: str = "hi") -> list[MessageParam]:
    return [{"role": "user", "content": text}]


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))


def calls_of(message: Message) -> list[ToolUseBlock]:
    return [block for block in message.content if isinstance(block, ToolUseBlock)]


def assert_hello(message: Message, route: str) -> None:
    assert text_of(message) == HELLO
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    usage = message.usage
    assert (usage.output_tokens, usage.cache_read_input_tokens) == (20, 1000)
    # Gemini has no kind of usage for cache writes.
    written = usage.cache_creation_input_tokens or 0
    assert (usage.input_tokens, written) == ((350, 0) if "gemini" in route else (100, 250))


@pytest.mark.parametrize("route", ROUTES)
def test_a_message_and_a_stream(sdk: anthropic.Anthropic, route: str) -> None:
    model = f"{route}/hello"
    assert_hello(sdk.messages.create(model=model, max_tokens=99, messages=ask()), route)
    with sdk.messages.stream(model=model, max_tokens=99, messages=ask()) as stream:
        assert "".join(stream.text_stream) == HELLO
        assert_hello(stream.get_final_message(), route)
    events = list(sdk.messages.create(model=model, max_tokens=99, messages=ask(), stream=True))
    kinds = [event.type for event in events]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    starts = [event.index for event in events if event.type == "content_block_start"]
    assert starts == list(range(len(starts)))
    assert starts == [event.index for event in events if event.type == "content_block_stop"]


@pytest.mark.parametrize("route", ROUTES)
async def test_the_same_asynchronously(world: World, route: str) -> None:
    model = f"{route}/hello"
    async with asyncs(world) as sdk:
        message = await sdk.messages.create(model=model, max_tokens=99, messages=ask())
        assert_hello(message, route)
        async with sdk.messages.stream(model=model, max_tokens=99, messages=ask()) as stream:
            assert "".join([text async for text in stream.text_stream]) == HELLO
            assert_hello(await stream.get_final_message(), route)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", ROUTES)
def test_parallel_tools_to_their_end(sdk: anthropic.Anthropic, route: str, stream: bool) -> None:
    model, messages = f"{route}/parallel", ask("go")
    first: Message
    if stream:
        with sdk.messages.stream(
            model=model, max_tokens=99, messages=messages, tools=[TOOL]
        ) as running:
            first = running.get_final_message()
    else:
        first = sdk.messages.create(model=model, max_tokens=99, messages=messages, tools=[TOOL])
    calls = calls_of(first)
    assert first.stop_reason == "tool_use"
    assert [call.name for call in calls] == ["Bash", "Bash"]
    assert [call.input["command"] for call in calls] == ["echo Grüße", "echo sunlight"]
    assert len({call.id for call in calls}) == 2
    results: list[ToolResultBlockParam] = [
        {"type": "tool_result", "tool_use_id": calls[0].id, "content": "one"},
        {
            "type": "tool_result",
            "tool_use_id": calls[1].id,
            "content": [{"type": "text", "text": "two"}],
        },
    ]
    messages += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": results},
    ]
    second = sdk.messages.create(model=model, max_tokens=99, messages=messages, tools=[TOOL])
    assert text_of(second) == "The commands printed: one\ntwo"


@pytest.mark.parametrize("route", ROUTES)
def test_a_tool_that_failed(sdk: anthropic.Anthropic, route: str) -> None:
    model, messages = f"{route}/tools", ask("run: date")
    first = sdk.messages.create(
        model=model,
        max_tokens=99,
        messages=messages,
        tools=[TOOL],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    )
    (call,) = calls_of(first)
    failed: ToolResultBlockParam = {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": "no such command",
        "is_error": True,
    }
    messages += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [failed]},
    ]
    second = sdk.messages.create(model=model, max_tokens=99, messages=messages, tools=[TOOL])
    assert "no such command" in text_of(second)


@pytest.mark.parametrize("route", ROUTES)
def test_structured_output(sdk: anthropic.Anthropic, route: str) -> None:
    model = f"{route}/json"
    parsed = sdk.messages.parse(
        model=model, max_tokens=99, messages=ask(), output_format=Choice
    ).parsed_output
    assert isinstance(parsed, Choice)
    with sdk.messages.stream(
        model=model, max_tokens=99, messages=ask(), output_format=Choice
    ) as stream:
        streamed = stream.get_final_message().parsed_output
    assert streamed == parsed


@pytest.mark.parametrize("route", ROUTES)
def test_thinking_is_shown_and_replayed(sdk: anthropic.Anthropic, route: str) -> None:
    model, messages = f"{route}/hello", ask()
    with sdk.messages.stream(
        model=model, max_tokens=2000, messages=messages, thinking={"type": "adaptive"}
    ) as stream:
        first = stream.get_final_message()
    thoughts = [block for block in first.content if block.type == "thinking"]
    assert [block.thinking for block in thoughts] == [THOUGHT]
    if "messages" in route:  # nobody else signs thoughts, and no signature is invented
        assert all(block.signature for block in thoughts)
    messages += [{"role": "assistant", "content": first.content}, *ask("and now?")]
    second = sdk.messages.create(
        model=model, max_tokens=2000, messages=messages, thinking={"type": "adaptive"}
    )
    assert text_of(second) == HELLO


def test_everything_at_once_is_a_request_of_gemini(world: World, sdk: anthropic.Anthropic) -> None:
    world.proxy.taken()
    sdk.messages.create(
        model="gemini/default",
        max_tokens=99,
        system="Be brief.",
        stop_sequences=["END"],
        thinking={"type": "enabled", "budget_tokens": 1024},
        output_config={
            "effort": "high",
            "format": {"type": "json_schema", "schema": transform_schema(Choice)},
        },
        tools=[TOOL, {"name": "Nothing", "input_schema": {"type": "object", "properties": {}}}],
        tool_choice={"type": "tool", "name": "Bash"},
        metadata={"user_id": "u"},
        messages=ask(),
        extra_body={"temperature": 0.5, "top_p": 0.9, "top_k": 40},
    )
    (recorded,) = world.proxy.taken()
    body = read_gemini_request(recorded)
    assert isinstance(body, GenerateBody)
    asked = body.generation_config
    assert asked is not None
    assert (asked.max_output_tokens, asked.stop_sequences) == (99, ["END"])
    assert (asked.temperature, asked.top_p, asked.top_k) == (0.5, 0.9, 40)
    assert asked.thinking_config is not None
    assert body.tools is not None
    functions = [each for tool in body.tools for each in tool.function_declarations or []]
    assert [each.name for each in functions] == ["Bash", "Nothing"]
    assert body.tool_config is not None
    assert body.tool_config.function_calling_config is not None
    assert body.tool_config.function_calling_config.allowed_function_names == ["Bash"]


@pytest.mark.parametrize("route", ROUTES)
def test_images_and_documents(sdk: anthropic.Anthropic, route: str) -> None:
    message = sdk.messages.create(
        model=f"{route}/default",
        max_tokens=99,
        system=[{"type": "text", "text": "Look.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                    },
                    {
                        "type": "document",
                        "title": "A page",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                    },
                    {"type": "text", "text": "What is this?"},
                ],
            }
        ],
    )
    assert text_of(message) == "This is the scripted provider. You said: What is this?"


@pytest.mark.parametrize("route", ROUTES)
def test_a_refusal_and_an_empty_answer(sdk: anthropic.Anthropic, route: str) -> None:
    refused = sdk.messages.create(model=f"{route}/refusal", max_tokens=99, messages=ask())
    assert refused.stop_reason == "refusal"
    empty = sdk.messages.create(model=f"{route}/empty", max_tokens=99, messages=ask())
    assert (text_of(empty), empty.stop_reason) == ("", "end_turn")
    with sdk.messages.stream(model=f"{route}/empty", max_tokens=99, messages=ask()) as stream:
        assert text_of(stream.get_final_message()) == ""


@pytest.mark.parametrize("route", ROUTES)
async def test_tokens_are_counted(world: World, sdk: anthropic.Anthropic, route: str) -> None:
    model = f"{route}/hello"
    counted = sdk.messages.count_tokens(model=model, messages=ask(), tools=[TOOL])
    async with asyncs(world) as client:
        again = await client.messages.count_tokens(model=model, messages=ask(), tools=[TOOL])
    assert counted.input_tokens == again.input_tokens > 0


async def test_models_are_listed_and_shown(world: World, sdk: anthropic.Anthropic) -> None:
    names = [model.id for model in sdk.models.list(limit=1000)]
    assert {"messages/hello", "persona/zeitgeist", "scripted/hello"} <= set(names)
    assert sdk.models.retrieve("messages/hello").id == "messages/hello"
    with pytest.raises(anthropic.NotFoundError, match="is not served to this key"):
        sdk.models.retrieve("messages/none")
    async with asyncs(world) as client:
        assert [model.id async for model in client.models.list()] == names
        assert (await client.models.retrieve("chat/hello")).type == "model"


ERRORS = [
    (400, anthropic.BadRequestError, "invalid_request_error"),
    (401, anthropic.AuthenticationError, "authentication_error"),
    (403, anthropic.PermissionDeniedError, "permission_error"),
    (404, anthropic.NotFoundError, "not_found_error"),
    (413, anthropic.RequestTooLargeError, "request_too_large"),
    (422, anthropic.UnprocessableEntityError, "invalid_request_error"),
    (429, anthropic.RateLimitError, "rate_limit_error"),
    (500, anthropic.InternalServerError, "api_error"),
    (529, anthropic.OverloadedError, "overloaded_error"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("status", "error", "kind"), ERRORS)
def test_every_error_is_the_sdk_s_own(
    world: World,
    sdk: anthropic.Anthropic,
    dialect: str,
    status: int,
    error: type[anthropic.APIStatusError],
    kind: str,
    stream: bool,
) -> None:
    world.providers.arm(str(status), after=0, model=f"any-{status}", dialect=dialect)
    with pytest.raises(error) as caught:
        sdk.messages.create(
            model=f"{dialect}/any-{status}", max_tokens=9, messages=ask(), stream=stream
        )
    found = caught.value
    assert found.status_code == status
    assert found.response.headers["x-heliostat-request-id"].startswith("req_")
    assert isinstance(found.body, dict)
    assert found.body["type"] == "error"
    own_word = "api_error" if (status, dialect) == (422, "messages") else kind
    assert found.body["error"]["type"] == own_word
    assert found.body["error"]["message"]
    assert "sk-scripted" not in json.dumps(found.body)
    # The provider's own id of the request; Gemini has none.
    assert str(found.request_id).startswith("req_")
    assert ("scripted" in str(found.request_id)) == (dialect != "gemini")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_may_get_better_is_asked_again(world: World, dialect: str) -> None:
    key = world.gateway.key("anthropic-retries")
    with anthropic.Anthropic(base_url=world.gateway.url, api_key=key, max_retries=2) as sdk:
        world.providers.arm("529", model="any-retry", dialect=dialect)
        message = sdk.messages.create(model=f"{dialect}/any-retry", max_tokens=99, messages=ask())
    assert text_of(message) == HELLO


def test_retry_after_is_passed_on_and_obeyed(world: World) -> None:
    key = world.gateway.key("anthropic-waits")
    with anthropic.Anthropic(base_url=world.gateway.url, api_key=key, max_retries=0) as sdk:
        for dialect in ("messages", "chat"):
            world.providers.arm("429", after=1, model="any-x", dialect=dialect)
            with pytest.raises(anthropic.RateLimitError) as caught:
                sdk.messages.create(model=f"{dialect}/any-x", max_tokens=9, messages=ask())
            assert caught.value.response.headers["retry-after"] == "1"
        # Its provider rests as long as it said: a request that comes in between waits.
        message = sdk.messages.create(model="messages/any-x", max_tokens=99, messages=ask())
        assert text_of(message) == HELLO
        patient = sdk.with_options(max_retries=2)
        message = patient.messages.create(model="messages/any-x", max_tokens=99, messages=ask())
    assert text_of(message) == HELLO


def test_what_is_no_use_is_asked_once(world: World) -> None:
    key = world.gateway.key("anthropic-capped", cap=0)
    with (
        anthropic.Anthropic(base_url=world.gateway.url, api_key=key, max_retries=5) as sdk,
        pytest.raises(anthropic.PaymentRequiredError, match="has reached its cost limit") as caught,
    ):
        sdk.messages.create(model="chat/hello", max_tokens=9, messages=ask())
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"


@pytest.mark.parametrize(
    "fault",
    ["cut-after-first-token", "error-event", "bad-json", "no-end", "cut-before-first-token"],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_that_breaks_raises(
    world: World, sdk: anthropic.Anthropic, dialect: str, fault: str
) -> None:
    world.providers.arm(fault, model="any-steps", dialect=dialect)
    with (
        pytest.raises(anthropic.APIStatusError),
        sdk.messages.stream(model=f"{dialect}/any-steps", max_tokens=99, messages=ask()) as stream,
    ):
        stream.until_done()


def test_what_a_dialect_cannot_say_is_named(sdk: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match=r"tools\[0\]\.type"):
        sdk.messages.create(
            model="chat/hello",
            max_tokens=9,
            messages=ask(),
            tools=[{"type": "web_search_20250305", "name": "web_search"}],
        )
