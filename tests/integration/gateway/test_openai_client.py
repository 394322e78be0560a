"""The `openai` SDK, unmodified, through routes to providers of every dialect."""

import json
from collections.abc import Iterator

import openai
import pytest
from openai.types import CompletionUsage
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionAssistantMessageParam,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessage,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
)

from .clients import HELLO, THOUGHT, Choice, requests_are_gemini_s
from .real_world import DIALECTS, ROUTES, World
from .samples import PDF, PNG

__all__ = ["requests_are_gemini_s"]

TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "Bash",
        "description": "Runs a command.",
        "parameters": {
            "type": "object",
            "properties": {"command": {"type": "string"}, "description": {"type": "string"}},
            "required": ["command", "description"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


@pytest.fixture(scope="module")
def sdk(world: World) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{world.gateway.url}/v1", api_key=world.gateway.key("openai-sdk"), max_retries=0
    ) as client:
        yield client


def asyncs(world: World) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{world.gateway.url}/v1", api_key=world.gateway.key("openai-sdk"), max_retries=0
    )


def ask(text: str = "hi") -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


def calls_of(message: ChatCompletionMessage) -> list[ChatCompletionMessageFunctionToolCall]:
    calls = message.tool_calls or []
    return [each for each in calls if isinstance(each, ChatCompletionMessageFunctionToolCall)]


def replayed(message: ChatCompletionMessage) -> ChatCompletionAssistantMessageParam:
    """What an answer is in the next request."""
    document: ChatCompletionAssistantMessageParam = json.loads(
        message.model_dump_json(exclude_none=True)
    )
    return document


def assert_usage(usage: CompletionUsage | None) -> None:
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (1350, 20, 1370)
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 1000


def assert_hello(completion: ChatCompletion) -> None:
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason) == (HELLO, "stop")
    assert (completion.object, choice.message.role) == ("chat.completion", "assistant")
    assert completion.created > 0
    assert_usage(completion.usage)


@pytest.mark.parametrize("route", ROUTES)
def test_a_completion_and_a_stream(sdk: openai.OpenAI, route: str) -> None:
    model = f"{route}/hello"
    assert_hello(sdk.chat.completions.create(model=model, messages=ask()))
    with sdk.chat.completions.stream(
        model=model, messages=ask(), stream_options={"include_usage": True}
    ) as stream:
        assert_hello(stream.get_final_completion())
    chunks = list(sdk.chat.completions.create(model=model, messages=ask(), stream=True))
    assert [chunk.usage for chunk in chunks if chunk.usage is not None] == []  # not asked for
    assert all(chunk.choices for chunk in chunks)
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(texts) == HELLO
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("route", ROUTES)
async def test_the_same_asynchronously(world: World, route: str) -> None:
    model = f"{route}/hello"
    async with asyncs(world) as sdk:
        assert_hello(await sdk.chat.completions.create(model=model, messages=ask()))
        async with sdk.chat.completions.stream(
            model=model, messages=ask(), stream_options={"include_usage": True}
        ) as stream:
            assert_hello(await stream.get_final_completion())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", ROUTES)
def test_parallel_tools_to_their_end(sdk: openai.OpenAI, route: str, stream: bool) -> None:
    model, messages = f"{route}/parallel", ask("go")
    first: ChatCompletion
    if stream:
        with sdk.chat.completions.stream(model=model, messages=messages, tools=[TOOL]) as running:
            first = running.get_final_completion()
    else:
        first = sdk.chat.completions.create(model=model, messages=messages, tools=[TOOL])
    (choice,) = first.choices
    calls = calls_of(choice.message)
    assert choice.finish_reason == "tool_calls"
    assert [call.function.name for call in calls] == ["Bash", "Bash"]
    commands = [json.loads(call.function.arguments)["command"] for call in calls]
    assert commands == ["echo Grüße", "echo sunlight"]
    assert len({call.id for call in calls}) == 2
    messages.append(
        {
            "role": "assistant",
            "content": choice.message.content,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {
                        "name": call.function.name,
                        "arguments": call.function.arguments,
                    },
                }
                for call in calls
            ],
        }
    )
    for call, text in zip(calls, ("one", "two"), strict=True):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": text})
    second = sdk.chat.completions.create(model=model, messages=messages, tools=[TOOL])
    assert second.choices[0].message.content == "The commands printed: one\ntwo"


@pytest.mark.parametrize("route", ROUTES)
def test_structured_output(sdk: openai.OpenAI, route: str) -> None:
    model = f"{route}/json"
    parsed = sdk.chat.completions.parse(model=model, messages=ask(), response_format=Choice)
    found = parsed.choices[0].message.parsed
    assert isinstance(found, Choice)
    with sdk.chat.completions.stream(model=model, messages=ask(), response_format=Choice) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == found


@pytest.mark.parametrize("route", ROUTES)
def test_thinking_is_shown_and_replayed(sdk: openai.OpenAI, route: str) -> None:
    model = f"{route}/hello"
    first = (
        sdk.chat.completions.create(model=model, messages=ask(), reasoning_effort="high")
        .choices[0]
        .message
    )
    assert (first.model_extra or {})["reasoning_content"] == THOUGHT
    # A message is replayed with all that was in it, also what OpenAI's types do not know.
    again = sdk.chat.completions.create(
        model=model,
        messages=[*ask(), replayed(first), *ask("and now?")],
        reasoning_effort="high",
    )
    assert again.choices[0].message.content == HELLO


@pytest.mark.parametrize("route", ROUTES)
def test_images_documents_and_system(sdk: openai.OpenAI, route: str) -> None:
    completion = sdk.chat.completions.create(
        model=f"{route}/default",
        max_completion_tokens=99,
        messages=[
            {"role": "developer", "content": "Look."},
            {
                "role": "user",
                "content": [
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"},
                    },
                    {
                        "type": "file",
                        "file": {
                            "filename": "page.pdf",
                            "file_data": f"data:application/pdf;base64,{PDF}",
                        },
                    },
                    {"type": "text", "text": "What is this?"},
                ],
            },
        ],
    )
    said = completion.choices[0].message.content
    assert said == "This is the scripted provider. You said: What is this?"


@pytest.mark.parametrize("route", ROUTES)
def test_a_refusal_and_an_empty_answer(sdk: openai.OpenAI, route: str) -> None:
    refused = sdk.chat.completions.create(model=f"{route}/refusal", messages=ask())
    assert refused.choices[0].finish_reason in ("content_filter", "stop")
    empty = sdk.chat.completions.create(model=f"{route}/empty", messages=ask())
    assert (empty.choices[0].message.content or "") == ""
    assert empty.choices[0].finish_reason == "stop"


async def test_models_are_listed_and_shown(world: World, sdk: openai.OpenAI) -> None:
    names = [model.id for model in sdk.models.list()]
    assert {"messages/hello", "persona/zeitgeist", "scripted/hello"} <= set(names)
    assert sdk.models.retrieve("messages/hello").object == "model"
    with pytest.raises(openai.NotFoundError, match="is not served to this key"):
        sdk.models.retrieve("messages/none")
    async with asyncs(world) as client:
        assert [model.id async for model in client.models.list()] == names
        assert (await client.models.retrieve("chat/hello")).owned_by == "heliostat"


ERRORS = [
    (400, openai.BadRequestError),
    (401, openai.AuthenticationError),
    (403, openai.PermissionDeniedError),
    (404, openai.NotFoundError),
    (413, openai.APIStatusError),
    (422, openai.UnprocessableEntityError),
    (429, openai.RateLimitError),
    (500, openai.InternalServerError),
    (529, openai.InternalServerError),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("status", "error"), ERRORS)
def test_every_error_is_the_sdk_s_own(
    world: World,
    sdk: openai.OpenAI,
    dialect: str,
    status: int,
    error: type[openai.APIStatusError],
    stream: bool,
) -> None:
    world.providers.arm(str(status), after=0, model=f"any-{status}", dialect=dialect)
    with pytest.raises(error) as caught:
        sdk.chat.completions.create(model=f"{dialect}/any-{status}", messages=ask(), stream=stream)
    found = caught.value
    assert found.status_code == status
    assert found.response.headers["x-heliostat-request-id"].startswith("req_")
    assert found.type
    assert isinstance(found.body, dict)
    assert found.body["message"]
    assert "sk-scripted" not in json.dumps(found.body)
    # The provider's own id of the request; Gemini has none.
    assert str(found.request_id).startswith("req_")
    assert ("scripted" in str(found.request_id)) == (dialect != "gemini")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_may_get_better_is_asked_again(world: World, dialect: str) -> None:
    key = world.gateway.key("openai-retries")
    with openai.OpenAI(base_url=f"{world.gateway.url}/v1", api_key=key, max_retries=2) as sdk:
        world.providers.arm("529", model="any-retry", dialect=dialect)
        assert_hello(sdk.chat.completions.create(model=f"{dialect}/any-retry", messages=ask()))


def test_retry_after_is_passed_on_and_obeyed(world: World) -> None:
    key = world.gateway.key("openai-waits")
    with openai.OpenAI(base_url=f"{world.gateway.url}/v1", api_key=key, max_retries=0) as sdk:
        for dialect in ("chat", "messages"):
            world.providers.arm("429", after=1, model="any-y", dialect=dialect)
            with pytest.raises(openai.RateLimitError) as caught:
                sdk.chat.completions.create(model=f"{dialect}/any-y", messages=ask())
            assert caught.value.response.headers["retry-after"] == "1"
        patient = sdk.with_options(max_retries=2)
        assert_hello(patient.chat.completions.create(model="chat/any-y", messages=ask()))


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_no_use_is_asked_once(world: World, stream: bool) -> None:
    key = world.gateway.key("openai-capped", cap=0)
    with (
        openai.OpenAI(base_url=f"{world.gateway.url}/v1", api_key=key, max_retries=5) as sdk,
        pytest.raises(openai.APIStatusError, match="has reached its cost limit") as caught,
    ):
        sdk.chat.completions.create(model="messages/hello", messages=ask(), stream=stream)
    assert (caught.value.status_code, caught.value.code) == (402, "insufficient_quota")
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"


@pytest.mark.parametrize(
    "fault",
    ["cut-after-first-token", "error-event", "bad-json", "no-end", "cut-before-first-token"],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_that_breaks_raises(
    world: World, sdk: openai.OpenAI, dialect: str, fault: str
) -> None:
    world.providers.arm(fault, model="any-steps", dialect=dialect)
    with pytest.raises(openai.APIError):
        list(sdk.chat.completions.create(model=f"{dialect}/any-steps", messages=ask(), stream=True))


@pytest.mark.parametrize("dialect", ["messages", "gemini"])
def test_what_a_dialect_cannot_say_is_named(sdk: openai.OpenAI, dialect: str) -> None:
    with pytest.raises(openai.BadRequestError, match="logit_bias"):
        sdk.chat.completions.create(
            model=f"{dialect}/hello", messages=ask(), logit_bias={"50256": -100}
        )
