"""The scripted provider over HTTP, as the official clients see it: each reads its own dialect."""

import anthropic
import openai
from google import genai
from google.genai import types as gemini
from openai.types import chat

from support.fake_provider import FakeProviders

HELLO = "Hello from the scripted provider."
THOUGHT = "Someone greets me. I greet back."


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


def test_messages_text_and_thinking(fake_providers: FakeProviders) -> None:
    with anthropic_client(fake_providers) as sdk:
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


def test_chat_text_and_thinking(fake_providers: FakeProviders) -> None:
    with openai_client(fake_providers) as sdk:
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


def test_chat_without_include_usage_tells_none(fake_providers: FakeProviders) -> None:
    with openai_client(fake_providers) as sdk:
        stream = sdk.chat.completions.create(model="hello", messages=ask_chat("hi"), stream=True)
        assert [chunk.usage for chunk in stream if chunk.usage is not None] == []
    (entry,) = fake_providers.bill()
    assert (entry.input, entry.output, entry.estimated) == (100, 20, False)


def test_gemini_text_and_thinking(fake_providers: FakeProviders) -> None:
    shown = gemini.GenerateContentConfig(
        thinking_config=gemini.ThinkingConfig(include_thoughts=True)
    )
    sdk = gemini_client(fake_providers)
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
