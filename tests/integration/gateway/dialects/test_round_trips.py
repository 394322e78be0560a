"""A conversation keeps its meaning through another dialect and back."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import blocks_of, objects
from heliostat_gateway.dialects.chat_turns import TOOL_FAILED
from heliostat_gateway.dialects.events import fold
from heliostat_gateway.dialects.translation import translate_answer, translate_request
from heliostat_json.objects import JsonObject, list_at, object_at, text_at
from support.golden import asked_by
from support.sdk_types import check_request
from support.streams import objects_of, translated
from support.sums_of_streams import whole_answer

WORDS = st.text('abcäöü€ "\\{', min_size=1, max_size=12).filter(str.strip)
NAMES = st.sampled_from(["GetWeather", "clock", "mcp__Srv__Tool-1"])
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS: st.SearchStrategy[JsonObject] = st.dictionaries(WORDS, VALUES, max_size=2)
SIGNATURES = st.sampled_from(["c2lnQQ==", "c2lnQg==", "c2lnQw=="])


@st.composite
def conversations(draw: st.DrawFn) -> list[JsonObject]:
    """User texts, then turns of calls with their results, ids all different."""
    messages: list[JsonObject] = [user(draw(st.lists(WORDS, min_size=1, max_size=2)))]
    calls = 0
    for _ in range(draw(st.integers(0, 3))):
        said = draw(st.lists(WORDS, max_size=1))
        asked = draw(st.lists(st.tuples(NAMES, ARGUMENTS), min_size=0 if said else 1, max_size=3))
        content: list[JsonObject] = [{"type": "text", "text": text} for text in said]
        results: list[JsonObject] = []
        for name, arguments in asked:
            calls += 1
            call = f"toolu_{calls}"
            content.append({"type": "tool_use", "id": call, "name": name, "input": arguments})
            results.append(draw(tool_results(call)))
        messages.append({"role": "assistant", "content": [*content]})
        after = user(draw(st.lists(WORDS, min_size=0 if results else 1, max_size=2)))
        messages.append({**after, "content": [*results, *list_at(after, "content")]})
    return messages


@st.composite
def tool_results(draw: st.DrawFn, call: str) -> JsonObject:
    text = draw(WORDS)
    content: JsonValue = text
    if draw(st.booleans()):
        content = [{"type": "text", "text": text}]
    return {
        "type": "tool_result",
        "tool_use_id": call,
        "content": content,
        "is_error": draw(st.booleans()),
    }


def user(texts: list[str]) -> JsonObject:
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


def request(messages: list[JsonObject]) -> JsonObject:
    return {
        "model": "m",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [*messages],
    }


def meaning(messages: list[JsonObject]) -> list[tuple[str, ...]]:
    """Who said what, called what, got what, in order."""
    found: list[tuple[str, ...]] = []
    for message in messages:
        role = text_at(message, "role")
        for block in blocks_of(message.get("content")):
            found.append((role, *block_meaning(block)))
    return found


def block_meaning(block: JsonObject) -> tuple[str, ...]:
    if block["type"] == "tool_use":
        arguments = json.dumps(object_at(block, "input"), sort_keys=True)
        return ("call", text_at(block, "id"), text_at(block, "name"), arguments)
    if block["type"] == "tool_result":
        text = "\n".join(text_at(each, "text") for each in blocks_of(block.get("content")))
        if block.get("is_error"):
            text = f"{TOOL_FAILED}\n{text}"
        return ("result", text_at(block, "tool_use_id"), text)
    return ("text", text_at(block, "text"))


@settings(max_examples=60, deadline=None)
@given(conversations())
def test_a_conversation_survives_chat_completions(messages: list[JsonObject]) -> None:
    there = translate_request(request(messages), Dialect.MESSAGES, Dialect.CHAT, "m")
    check_request(Dialect.CHAT, there.document)
    back = translate_request(there.document, Dialect.CHAT, Dialect.MESSAGES, "m").document
    check_request(Dialect.MESSAGES, back)
    assert meaning(objects(list_at(back, "messages"))) == meaning(messages)
    assert (back["system"], back["max_tokens"]) == ([{"type": "text", "text": "Be brief."}], 9)


@settings(max_examples=60, deadline=None)
@given(conversations())
def test_a_conversation_survives_gemini(messages: list[JsonObject]) -> None:
    asked = request(messages)
    there = translate_request(asked, Dialect.MESSAGES, Dialect.GEMINI, "gemini-2.5-pro").document
    check_request(Dialect.GEMINI, there)
    back = [read_content(content) for content in objects(list_at(there, "contents"))]
    assert meaning(back) == meaning(messages)


def read_content(content: JsonObject) -> JsonObject:
    """A content as a message: the model's by the translation of answers, the user's by hand."""
    parts = objects(list_at(content, "parts"))
    if content["role"] == "model":
        return read_answer(parts, {"model": "m", "messages": []}, Dialect.MESSAGES)
    return {"role": "user", "content": [user_block(part) for part in parts]}


def user_block(part: JsonObject) -> JsonObject:
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    result = object_at(part, "functionResponse")
    response = object_at(result, "response")
    text = text_at(response, "error") or text_at(response, "output")
    return {
        "type": "tool_result",
        "tool_use_id": result["id"],
        "content": text,
        "is_error": "error" in response,
    }


def read_answer(parts: list[JsonObject], asked: JsonObject, caller: Dialect) -> JsonObject:
    content: JsonObject = {"role": "model", "parts": [*parts]}
    candidate: JsonObject = {"content": content}
    candidate["finishReason"] = "STOP"
    answer: JsonObject = {"candidates": [candidate]}
    return translate_answer(answer, Dialect.GEMINI, caller, asked)


@st.composite
def gemini_parts(draw: st.DrawFn) -> list[JsonObject]:
    """Parts of one answer: thoughts, texts and calls, each signed or not."""
    parts: list[JsonObject] = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["thought", "text", "call"]))
        part: JsonObject = {"text": draw(WORDS)}
        if kind == "thought":
            part["thought"] = True
        if kind == "call":
            call: JsonObject = {"name": draw(NAMES), "args": draw(ARGUMENTS)}
            part = {"functionCall": call}
        if draw(st.booleans()):
            part["thoughtSignature"] = draw(SIGNATURES)
        parts.append(part)
    return parts


def marks_of(parts: list[JsonObject]) -> list[tuple[str, str]]:
    """Kind and signature of each signed part."""
    marks: list[tuple[str, str]] = []
    for part in parts:
        kind = "thought" if part.get("thought") else "text" if "text" in part else "call"
        if signature := text_at(part, "thoughtSignature"):
            marks.append((kind, signature))
    return marks


@settings(deadline=None)
@given(gemini_parts())
def test_signatures_of_gemini_come_back_through_a_messages_caller(parts: list[JsonObject]) -> None:
    asked = request([user(["Hello"])])
    answer = read_answer(parts, asked, Dialect.MESSAGES)
    turn: JsonObject = {"role": "assistant", "content": answer["content"]}
    again = {**asked, "messages": [*list_at(asked, "messages"), turn]}
    sent = translate_request(again, Dialect.MESSAGES, Dialect.GEMINI, "m").document
    check_request(Dialect.GEMINI, sent)
    replayed = replayed_parts(sent)
    expected = with_foreign_mark(parts)
    assert marks_of(replayed) == marks_of(expected)
    assert calls_of(replayed) == calls_of(expected)


@settings(deadline=None)
@given(gemini_parts())
def test_signatures_of_gemini_come_back_through_a_chat_caller(parts: list[JsonObject]) -> None:
    asked: JsonObject = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    answer = read_answer(parts, asked, Dialect.CHAT)
    [choice] = objects(list_at(answer, "choices"))
    again = {**asked, "messages": [*list_at(asked, "messages"), choice["message"]]}
    sent = translate_request(again, Dialect.CHAT, Dialect.GEMINI, "m").document
    check_request(Dialect.GEMINI, sent)
    replayed = replayed_parts(sent)
    expected = with_foreign_mark(parts)
    assert sorted(marks_of(replayed)) == sorted(marks_of(expected))
    assert calls_of(replayed) == calls_of(expected)


def with_foreign_mark(parts: list[JsonObject]) -> list[JsonObject]:
    """The parts as they are sent again: a first call that nobody signed says so."""
    first = next((place for place, part in enumerate(parts) if "functionCall" in part), None)
    if first is None or "thoughtSignature" in parts[first]:
        return parts
    marked = {**parts[first], "thoughtSignature": "skip_thought_signature_validator"}
    return [*parts[:first], marked, *parts[first + 1 :]]


def replayed_parts(sent: JsonObject) -> list[JsonObject]:
    """The parts of the model in a request for Gemini."""
    return [
        part
        for content in objects(list_at(sent, "contents"))
        if content["role"] == "model"
        for part in objects(list_at(content, "parts"))
    ]


def calls_of(parts: list[JsonObject]) -> list[tuple[str, str, str]]:
    """Each call's name, arguments and signature."""
    calls = [part for part in parts if "functionCall" in part]
    return [
        (
            text_at(object_at(part, "functionCall"), "name"),
            json.dumps(object_at(object_at(part, "functionCall"), "args"), sort_keys=True),
            text_at(part, "thoughtSignature"),
        )
        for part in calls
    ]


@settings(deadline=None)
@given(gemini_parts())
def test_ids_are_new_stable_and_short(parts: list[JsonObject]) -> None:
    asked = request([user(["Hello"])])
    first = ids_of(read_answer(parts, asked, Dialect.MESSAGES))
    assert first == ids_of(read_answer(parts, asked, Dialect.MESSAGES))
    assert len(set(first)) == len(first)
    assert all(len(each) <= 40 for each in first)
    calls: list[JsonObject] = [
        {"type": "tool_use", "id": each, "name": "clock", "input": {}} for each in first
    ]
    replayed = request([{"role": "assistant", "content": [*calls]}])  # as long as before
    assert not set(first) & set(ids_of(read_answer(parts, replayed, Dialect.MESSAGES)))


def ids_of(message: JsonObject) -> list[str]:
    blocks = blocks_of(message.get("content"))
    return [text_at(block, "id") for block in blocks if block["type"] == "tool_use"]


@settings(deadline=None)
@given(gemini_parts(), st.integers(1, 4))
def test_how_gemini_slices_its_answer_changes_nothing(parts: list[JsonObject], most: int) -> None:
    raw = "".join(f"data: {json.dumps(each)}\r\n\r\n" for each in sliced(parts, most))
    stream = translated([raw.encode()], Dialect.GEMINI, Dialect.MESSAGES)
    whole = translate_answer(
        whole_answer(raw, Dialect.GEMINI),
        Dialect.GEMINI,
        Dialect.MESSAGES,
        asked_by(Dialect.MESSAGES),
    )
    assert fold(objects_of(stream)) == whole


def sliced(parts: list[JsonObject], most: int) -> list[JsonObject]:
    """A stream of the parts, texts in slices of `most` characters, then the end."""
    slices: list[JsonObject] = []
    for part in parts:
        text = text_at(part, "text")
        pieces = [text[at : at + most] for at in range(0, len(text), most)]
        rest = {name: part[name] for name in part if name == "thought"}
        slices += [{**rest, "text": piece} for piece in pieces[:-1]]
        slices.append({**part, "text": pieces[-1]} if pieces else part)
    responses: list[JsonObject] = [
        {"candidates": [{"content": {"role": "model", "parts": [each]}}]} for each in slices
    ]
    end: JsonObject = {"candidates": [{"finishReason": "STOP", "content": {"parts": []}}]}
    return [*responses, end]
