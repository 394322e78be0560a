"""The scripted provider over HTTP, as the official clients see it: each reads its own dialect."""

import json
from collections.abc import Iterator
from pathlib import Path

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors as gemini_errors
from google.genai import types as gemini
from openai.types import chat

from support.fake_provider import FakeProviders, run_fake_providers

from .clients import HELLO, THOUGHT


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProviders]:
    """One server for all: each test leaves it without armed faults."""
    with run_fake_providers(tmp_path_factory.mktemp("providers")) as running:
        yield running


def anthropic_client(providers: FakeProviders) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        base_url=providers.messages_url, api_key=providers.key, max_retries=0
    )


def openai_client(providers: FakeProviders) -> openai.OpenAI:
    return openai.OpenAI(base_url=providers.chat_url, api_key=providers.key, max_retries=0)


def gemini_client(providers: FakeProviders) -> genai.Client:
    options = gemini.HttpOptions(base_url=providers.gemini_url)
    return genai.Client(api_key=providers.key, http_options=options)


def ask(text: str) -> list[anthropic.types.MessageParam]:
    return [{"role": "user", "content": text}]


def ask_chat(text: str) -> list[chat.ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


def test_messages_text_and_thinking(providers: FakeProviders) -> None:
    with anthropic_client(providers) as sdk:
        whole = sdk.messages.create(model="scripted/hello", max_tokens=99, messages=ask("hi"))
        with sdk.messages.stream(model="hello", max_tokens=99, messages=ask("hi")) as stream:
            streamed = stream.get_final_message()
    for message in (whole, streamed):
        thinking, text = message.content
        assert (thinking.type, text.type) == ("thinking", "text")
        assert thinking.type == "thinking"
        assert text.type == "text"
        assert (thinking.thinking, text.text) == (THOUGHT, HELLO)
        usage = message.usage
        assert (usage.input_tokens, usage.output_tokens) == (100, 20)
        assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (1000, 250)


def test_chat_text_and_thinking(providers: FakeProviders) -> None:
    with openai_client(providers) as sdk:
        whole = sdk.chat.completions.create(model="scripted/hello", messages=ask_chat("hi"))
        chunks = list(
            sdk.chat.completions.create(
                model="hello",
                messages=ask_chat("hi"),
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    (choice,) = whole.choices
    assert (choice.message.content, choice.finish_reason) == (HELLO, "stop")
    assert (choice.message.model_extra or {})["reasoning_content"] == THOUGHT
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == HELLO
    thoughts = [(delta.model_extra or {}).get("reasoning_content", "") for delta in deltas]
    assert "".join(thoughts) == THOUGHT
    for usage in (whole.usage, chunks[-1].usage):
        assert usage is not None
        assert (usage.prompt_tokens, usage.completion_tokens) == (1350, 20)
        assert usage.prompt_tokens_details is not None
        assert usage.prompt_tokens_details.cached_tokens == 1000
        assert usage.prompt_tokens_details.cache_write_tokens == 250


def test_chat_without_include_usage_tells_none(providers: FakeProviders) -> None:
    with openai_client(providers) as sdk:
        stream = sdk.chat.completions.create(
            model="hello", messages=ask_chat("hi"), stream=True, user="no-usage"
        )
        assert [chunk.usage for chunk in stream if chunk.usage is not None] == []
    (entry,) = providers.bill("no-usage")
    assert (entry.input, entry.output, entry.estimated) == (100, 20, False)


def test_gemini_text_and_thinking(providers: FakeProviders) -> None:
    shown = gemini.GenerateContentConfig(
        thinking_config=gemini.ThinkingConfig(include_thoughts=True)
    )
    sdk = gemini_client(providers)
    plain = sdk.models.generate_content(model="scripted/hello", contents="hi")
    whole = sdk.models.generate_content(model="scripted/hello", contents="hi", config=shown)
    chunks = list(sdk.models.generate_content_stream(model="hello", contents="hi", config=shown))
    assert plain.text == HELLO
    assert [part.thought for part in plain.parts or []] == [None]
    assert [part.text for part in whole.parts or []] == [THOUGHT, HELLO]
    parts = [part for chunk in chunks for part in chunk.parts or []]
    assert "".join(part.text or "" for part in parts if part.thought) == THOUGHT
    assert "".join(part.text or "" for part in parts if not part.thought) == HELLO
    for usage in (plain.usage_metadata, whole.usage_metadata, chunks[-1].usage_metadata):
        assert usage is not None
        assert (usage.prompt_token_count, usage.cached_content_token_count) == (1350, 1000)
        assert usage.candidates_token_count == 20
    assert chunks[-1].candidates is not None
    assert chunks[-1].candidates[0].finish_reason == gemini.FinishReason.STOP


ANTHROPIC_TOOL: anthropic.types.ToolParam = {
    "name": "Bash",
    "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}},
}
CHAT_TOOL: chat.ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "Bash", "parameters": {"type": "object", "properties": {}}},
}
GEMINI_TOOL = gemini.Tool(
    function_declarations=[
        gemini.FunctionDeclaration(
            name="Bash",
            parameters=gemini.Schema(
                type=gemini.Type.OBJECT,
                properties={"command": gemini.Schema(type=gemini.Type.STRING)},
            ),
        )
    ]
)
SEEN = "The commands printed: one\ntwo"


def test_messages_parallel_tools(providers: FakeProviders) -> None:
    messages = ask("go")
    with anthropic_client(providers) as sdk:
        with sdk.messages.stream(
            model="parallel", max_tokens=99, messages=messages, tools=[ANTHROPIC_TOOL]
        ) as stream:
            first = stream.get_final_message()
        calls = [block for block in first.content if block.type == "tool_use"]
        assert [call.input["description"] for call in calls] == ["First", "Second"]
        assert first.stop_reason == "tool_use"
        results: list[anthropic.types.ToolResultBlockParam] = [
            {"type": "tool_result", "tool_use_id": call.id, "content": text}
            for call, text in zip(calls, ("one", "two"), strict=True)
        ]
        messages += [
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": results},
        ]
        second = sdk.messages.create(
            model="parallel", max_tokens=99, messages=messages, tools=[ANTHROPIC_TOOL]
        )
    (text,) = second.content
    assert text.type == "text"
    assert text.text == SEEN


def test_chat_parallel_tools(providers: FakeProviders) -> None:
    messages = ask_chat("go")
    with openai_client(providers) as sdk:
        with sdk.chat.completions.stream(
            model="parallel", messages=messages, tools=[CHAT_TOOL]
        ) as stream:
            first = stream.get_final_completion().choices[0]
        calls = first.message.tool_calls or []
        commands = [json.loads(call.function.arguments)["command"] for call in calls]
        assert commands == ["echo Grüße", "echo sunlight"]
        assert first.finish_reason == "tool_calls"
        whole = sdk.chat.completions.create(
            model="parallel", messages=messages, tools=[CHAT_TOOL]
        ).choices[0]
        assert [call.id for call in whole.message.tool_calls or []] == [call.id for call in calls]
        messages.append(
            {
                "role": "assistant",
                "content": first.message.content,
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
        second = sdk.chat.completions.create(model="parallel", messages=messages, tools=[CHAT_TOOL])
    assert second.choices[0].message.content == SEEN


@pytest.mark.parametrize("model", ["parallel", "gemini-4-argon"])
def test_gemini_parallel_tools(tmp_path: Path, model: str) -> None:
    """A real name is answered by the default; such a model demands its signatures back."""
    config = gemini.GenerateContentConfig(tools=[GEMINI_TOOL])
    with run_fake_providers(tmp_path, default="parallel") as providers:
        sdk = gemini_client(providers)
        first = sdk.models.generate_content(model=model, contents="go", config=config)
        calls = first.function_calls or []
        assert [(call.args or {})["command"] for call in calls] == ["echo Grüße", "echo sunlight"]
        assert first.candidates is not None
        assert first.candidates[0].content is not None
        answers = [
            gemini.Part.from_function_response(name="Bash", response={"output": text})
            for text in ("one", "two")
        ]
        contents = [
            gemini.UserContent("go"),
            first.candidates[0].content,
            gemini.UserContent(answers),
        ]
        second = sdk.models.generate_content(model=model, contents=[*contents], config=config)
        assert second.text == SEEN


def test_gemini_demands_the_signature_of_a_call(tmp_path: Path) -> None:
    call = gemini.Part.from_function_call(name="Bash", args={})
    answer = gemini.Part.from_function_response(name="Bash", response={"output": "one"})
    contents = [
        gemini.UserContent("go"),
        gemini.ModelContent(call),
        gemini.UserContent(answer),
    ]
    with run_fake_providers(tmp_path, default="parallel") as providers:
        sdk = gemini_client(providers)
        with pytest.raises(gemini_errors.ClientError, match="missing a thought_signature"):
            sdk.models.generate_content(model="gemini-4-argon", contents=[*contents])
        assert sdk.models.generate_content(model="parallel", contents=[*contents]).text


SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"kind": {"type": "string", "enum": ["a", "b"]}, "n": {"type": "integer"}},
    "required": ["kind", "n"],
    "additionalProperties": False,
}
SMALLEST = {"kind": "a", "n": 0}


def test_json_output(providers: FakeProviders) -> None:
    with anthropic_client(providers) as sdk:
        message = sdk.messages.create(
            model="json",
            max_tokens=99,
            messages=ask("hi"),
            output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
        )
    (block,) = message.content
    assert block.type == "text"
    assert json.loads(block.text) == SMALLEST
    with openai_client(providers) as chat_sdk:
        completion = chat_sdk.chat.completions.create(
            model="json",
            messages=ask_chat("hi"),
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            },
        )
    assert json.loads(completion.choices[0].message.content or "") == SMALLEST
    config = gemini.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=SCHEMA
    )
    gemini_sdk = gemini_client(providers)
    answer = gemini_sdk.models.generate_content(model="json", contents="hi", config=config)
    assert json.loads(answer.text or "") == SMALLEST


def test_counts_and_models(providers: FakeProviders) -> None:
    billed = len(providers.bill())
    with anthropic_client(providers) as sdk:
        counted = sdk.messages.count_tokens(model="hello", messages=ask("hi"))
        names = [model.id for model in sdk.models.list()]
    with openai_client(providers) as chat_sdk:
        chat_names = [model.id for model in chat_sdk.models.list()]
    gemini_sdk = gemini_client(providers)
    gemini_names = [model.name for model in gemini_sdk.models.list()]
    gemini_counted = gemini_sdk.models.count_tokens(model="hello", contents="hi")
    assert len(providers.bill()) == billed
    assert counted.input_tokens > 0
    assert (gemini_counted.total_tokens or 0) > 0
    assert "scripted/hello" in names
    assert names == chat_names == [str(name).removeprefix("models/") for name in gemini_names]


def test_errors_are_the_clients_own(providers: FakeProviders) -> None:
    with anthropic_client(providers) as sdk:
        with pytest.raises(anthropic.NotFoundError, match="nobody"):
            sdk.messages.create(model="nobody", max_tokens=9, messages=ask("hi"))
        providers.arm("429")
        with pytest.raises(anthropic.RateLimitError) as limited:
            sdk.messages.create(model="hello", max_tokens=9, messages=ask("hi"))
    headers = limited.value.response.headers
    assert headers["retry-after"] == "2"
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    with openai_client(providers) as chat_sdk:
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            chat_sdk.chat.completions.create(model="nobody", messages=ask_chat("hi"))
        providers.arm("429", after=7)
        with pytest.raises(openai.RateLimitError) as chat_limited:
            chat_sdk.chat.completions.create(model="hello", messages=ask_chat("hi"))
        assert chat_limited.value.response.headers["retry-after"] == "7"
        assert chat_limited.value.response.headers["x-ratelimit-reset-requests"] == "7s"
        providers.arm("error-event", model="hello", dialect="chat")
        with pytest.raises(openai.APIError, match="Overloaded"):
            list(
                chat_sdk.chat.completions.create(
                    model="hello", messages=ask_chat("hi"), stream=True
                )
            )
    gemini_sdk = gemini_client(providers)
    with pytest.raises(gemini_errors.ClientError, match="404 NOT_FOUND"):
        gemini_sdk.models.generate_content(model="nobody", contents="hi")
    providers.arm("429")
    with pytest.raises(gemini_errors.ClientError, match=r"RESOURCE_EXHAUSTED.*retryDelay"):
        gemini_sdk.models.generate_content(model="hello", contents="hi")


def test_an_sdk_that_tries_again_gets_its_answer(providers: FakeProviders) -> None:
    providers.arm("529")
    with anthropic_client(providers).with_options(max_retries=1) as sdk:
        message = sdk.messages.create(
            model="hello", max_tokens=99, messages=ask("hi"), metadata={"user_id": "again"}
        )
    assert message.stop_reason == "end_turn"
    assert len(providers.bill("again")) == 1


def test_a_real_name_is_answered_by_the_default(tmp_path: Path) -> None:
    with (
        run_fake_providers(tmp_path, default="hello", api_keys=("team=k1",)) as providers,
        anthropic_client(providers) as sdk,
    ):
        sdk.messages.create(model="claude-opus-5-5", max_tokens=99, messages=ask("hi"))
        (entry,) = providers.bill()
    assert (entry.scenario, entry.model, entry.key) == ("hello", "claude-opus-5-5", "team")


def test_max_tokens_is_a_limit(providers: FakeProviders) -> None:
    with openai_client(providers) as sdk:
        answer = sdk.chat.completions.create(
            model="hello", messages=ask_chat("hi"), max_completion_tokens=10
        )
    (choice,) = answer.choices
    assert choice.finish_reason == "length"
    assert choice.message.content == HELLO[: 40 - len(THOUGHT)]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 10
