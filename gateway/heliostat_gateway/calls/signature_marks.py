"""Marks the signatures of a provider that speaks Messages, but is not Anthropic.

Anthropic refuses a conversation with thinking that another provider signed, and a signature does
not say whose it is. So the caller gets it with a mark before it, and every other byte as it came;
the provider gets it back without the mark. Pure.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace

from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.calls.splice import change_item, change_member
from heliostat_gateway.sse import Event
from heliostat_json.objects import JsonObject, list_at, object_at, parse_object, text_at

_SIGNATURE = b'"signature"'
_PARTS = {"content_block_start": "content_block", "content_block_delta": "delta"}


def mark_event(event: Event, mark: str) -> Event:
    """Puts the mark before the signature of one event of a stream, if it has one."""
    if not mark or _SIGNATURE not in event.data:
        return event
    fields = parse_object(event.data) or {}
    part = _PARTS.get(text_at(fields, "type"), "")
    signature = text_at(object_at(fields, part), "signature")
    if not signature:
        return event
    data = change_member(
        event.data,
        part,
        lambda inner: change_member(inner, "signature", _writing(mark + signature)),
    )
    raw = event.raw.replace(event.data, data, 1)
    if event.data not in event.raw:  # it came in several lines
        raw = f"event: {event.name}\ndata: ".encode() + data.replace(b"\n", b" ") + b"\n\n"
    return replace(event, raw=raw, data=data)


def mark_message(body: bytes, message: JsonObject, mark: str) -> bytes:
    """Puts the mark before the signatures of a whole answer; `message` is what `body` says."""
    for place, block in enumerate(list_at(message, "content")):
        signature = text_at(block, "signature") if isinstance(block, dict) else ""
        if mark and signature:
            body = change_member(body, "content", _marking(place, mark + signature))
    return body


def give_back_signatures(request: ModelRequest, mark: str) -> ModelRequest:
    """Gives this provider its own signatures back as it made them.

    Inside a JSON text the quotes would be escaped, so that only members are found.
    """
    if not mark or mark.encode() not in request.body:
        return request
    marked = rb'("signature"\s*:\s*")' + re.escape(mark.encode())
    body = re.sub(marked, rb"\1", request.body)
    return replace(request, body=body, document=parse_object(body) or request.document)


def _marking(place: int, signature: str) -> Callable[[bytes], bytes]:
    return lambda content: change_item(content, place, "signature", _writing(signature))


def _writing(text: str) -> Callable[[bytes], bytes]:
    return lambda _: json.dumps(text).encode()
