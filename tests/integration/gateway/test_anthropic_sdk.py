"""The official SDK, unmodified, against the gateway: sync, async, streams, tools, errors."""

import json

import anthropic
import pytest

from .clients import HELLO
from .gateway_process import GatewayProcess


def client(gateway: GatewayProcess, execution: str, retries: int = 0) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        base_url=gateway.url, api_key=gateway.key(execution), max_retries=retries
    )


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def test_a_message(shared: GatewayProcess) -> None:
    with client(shared, "sdk-plain") as sdk:
        message = sdk.messages.create(
            model="scripted/hello", max_tokens=99, messages=[{"role": "user", "content": "hi"}]
        )
    assert text_of(message) == HELLO
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (100, 1000)
    assert message.stop_reason == "end_turn"


def test_a_stream(shared: GatewayProcess) -> None:
    with (
        client(shared, "sdk-stream") as sdk,
        sdk.messages.stream(
            model="scripted/hello", max_tokens=99, messages=[{"role": "user", "content": "hi"}]
        ) as stream,
    ):
        assert "".join(stream.text_stream) == HELLO
        message = stream.get_final_message()
    assert message.content[0].type == "thinking"
    assert message.content[0].signature
    assert message.usage.output_tokens == 20


async def test_an_async_stream_with_a_bearer_key(shared: GatewayProcess) -> None:
    async with (
        anthropic.AsyncAnthropic(
            base_url=shared.url, auth_token=shared.key("sdk-async"), max_retries=0
        ) as sdk,
        sdk.messages.stream(
            model="scripted/hello", max_tokens=99, messages=[{"role": "user", "content": "hi"}]
        ) as stream,
    ):
        assert text_of(await stream.get_final_message()) == HELLO


def test_a_tool_loop_continues_from_its_own_messages(shared: GatewayProcess) -> None:
    tools: list[anthropic.types.ToolParam] = [
        {"name": "Bash", "input_schema": {"type": "object", "properties": {}}}
    ]
    messages: list[anthropic.types.MessageParam] = [{"role": "user", "content": "run: date"}]
    with client(shared, "sdk-tools") as sdk:
        with sdk.messages.stream(
            model="scripted/tools", max_tokens=99, messages=messages, tools=tools
        ) as stream:
            first = stream.get_final_message()
        (call,) = [block for block in first.content if block.type == "tool_use"]
        assert call.input == {"command": "date", "description": "Run the command"}
        messages += [
            {"role": "assistant", "content": first.content},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Monday"}],
            },
        ]
        second = sdk.messages.create(
            model="scripted/tools", max_tokens=99, messages=messages, tools=tools
        )
    assert text_of(second) == "The command printed: Monday"


def test_count_tokens_and_models(shared: GatewayProcess) -> None:
    with client(shared, "sdk-others") as sdk:
        counted = sdk.messages.count_tokens(
            model="scripted/hello", messages=[{"role": "user", "content": "hi"}]
        )
        assert counted.input_tokens > 0
        assert "scripted/hello" in [model.id for model in sdk.models.list()]


@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("scripted/rate-limited", anthropic.RateLimitError, 429),
        ("scripted/overloaded", anthropic.InternalServerError, 529),
        ("scripted/broken", anthropic.InternalServerError, 500),
        ("scripted/none", anthropic.NotFoundError, 404),
    ],
)
def test_errors(
    shared: GatewayProcess, model: str, error: type[anthropic.APIStatusError], status: int
) -> None:
    with client(shared, "sdk-errors") as sdk, pytest.raises(error) as caught:
        sdk.messages.create(model=model, max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    assert caught.value.status_code == status


@pytest.mark.parametrize("model", ["scripted/cut", "scripted/error-event", "scripted/bad-json"])
def test_a_break_in_a_stream_raises(shared: GatewayProcess, model: str) -> None:
    with (
        client(shared, "sdk-breaks") as sdk,
        pytest.raises(anthropic.APIStatusError),
        sdk.messages.stream(
            model=model, max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        ) as stream,
    ):
        stream.until_done()


def test_the_sdk_retries_what_may_get_better(shared: GatewayProcess) -> None:
    with client(shared, "sdk-retries", retries=2) as sdk:
        message = sdk.messages.create(
            model="scripted/overloaded-once",
            max_tokens=9,
            messages=[{"role": "user", "content": "hi"}],
        )
    assert text_of(message) == "Here I am after all."


async def test_the_sdk_asks_once_when_the_cap_is_reached(shared: GatewayProcess) -> None:
    key = shared.key("sdk-cap", cap=0)
    with (
        anthropic.Anthropic(base_url=shared.url, api_key=key, max_retries=5) as sdk,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        sdk.messages.create(
            model="scripted/hello", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )
    assert caught.value.status_code == 402
    assert "cost limit" in json.dumps(caught.value.body)
    assert (await shared.cost("sdk-cap")).requests == 0
