"""What a client makes of an answer, in either dialect."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.blocks import objects
from heliostat_json.objects import JsonObject, list_at, object_at, text_at


@dataclass(frozen=True)
class Heard:
    """What a client makes of an answer."""

    text: str
    error: str = ""  # type of the error, in the caller's dialect
    is_complete: bool = True


def hear(caller: Dialect, status: int, body: bytes, *, stream: bool) -> Heard:
    """Reads an answer as the official SDKs do, and more strictly: nothing follows the end."""
    if status != 200:
        return Heard("", _kind(json.loads(body)), is_complete=False)
    if not stream:
        return Heard(_text_of_whole(caller, json.loads(body)))
    said = [each for each in _said(body.decode()) if each]
    texts, error = "", ""
    for number, each in enumerate(said):
        if each == "[DONE]":
            assert number == len(said) - 1
            continue
        document = json.loads(each)
        if "error" in document:
            assert number == len(said) - 1, "an error is the last word"
            error = _kind(document)
        texts += _text_of_event(caller, document)
    last = said[-1] if said else ""
    ends_well = last == "[DONE]" if caller is Dialect.CHAT else '"message_stop"' in last
    return Heard(texts, error, ends_well)


def _said(text: str) -> Iterable[str]:
    """The data of each event. The stream ends with the blank line of its last event."""
    assert text.endswith("\n\n")
    for block in text.replace("\r\n", "\n").split("\n\n"):
        data = [line[5:].strip() for line in block.split("\n") if line.startswith("data:")]
        yield "\n".join(data)


def _kind(document: JsonObject) -> str:
    error = object_at(document, "error")
    assert text_at(error, "message")
    return text_at(error, "type") or text_at(error, "message")


def _text_of_event(caller: Dialect, document: JsonObject) -> str:
    if caller is Dialect.MESSAGES:
        return text_at(object_at(document, "delta"), "text")
    return "".join(text_at(object_at(each, "delta"), "content") for each in _choices(document))


def _text_of_whole(caller: Dialect, document: JsonObject) -> str:
    if caller is Dialect.MESSAGES:
        return "".join(text_at(each, "text") for each in objects(list_at(document, "content")))
    return "".join(text_at(object_at(each, "message"), "content") for each in _choices(document))


def _choices(document: JsonObject) -> list[JsonObject]:
    return list(objects(list_at(document, "choices")))
