"""Plays a script as the real API does: event types, their order, indices, pings, usage."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator, Iterator

from heliostat_gateway.providers import ProviderError
from heliostat_gateway.scripted.bill import BillLine
from heliostat_gateway.scripted.scenario import UsageSpec
from heliostat_gateway.scripted.script import (
    Action,
    Break,
    Script,
    Text,
    Thinking,
    ToolUse,
    Wait,
    shown,
)
from heliostat_gateway.wire import JsonObject, dump_object

PING_SECONDS = 10.0
_PING = b'event: ping\ndata: {"type": "ping"}\n\n'


def event(name: str, fields: JsonObject) -> bytes:
    """One server-sent event."""
    return (
        b"event: " + name.encode() + b"\ndata: " + dump_object({"type": name, **fields}) + b"\n\n"
    )


async def play_stream(script: Script, line: BillLine) -> AsyncGenerator[bytes, None]:
    """The answer as a stream, one event at a time. Raises ProviderError where it is cut."""
    started = False
    index = 0
    for action in script.actions:
        if not started and not isinstance(action, Wait):
            started = True
            yield _start(script, line)
        if isinstance(action, Wait):
            line.write()
            async for ping in _silence(action.seconds):
                yield ping
        elif isinstance(action, Break):
            line.write()
            yield _broken(action)
            return
        else:
            async for chunk in _block(script, action, index, line):
                yield chunk
            index += 1
    if not started:
        yield _start(script, line)
    line.final = script.usage
    yield _message_delta(script)
    yield event("message_stop", {})


async def play_message(script: Script, line: BillLine) -> bytes:
    """The answer as one JSON document. Raises ProviderError where it is broken."""
    for action in script.actions:
        if isinstance(action, Wait):
            line.write()
            await asyncio.sleep(action.seconds if action.seconds is not None else 3600 * 24)
        elif isinstance(action, Break):
            if not action.malformed:
                raise ProviderError("The scripted provider cut the connection.", sent=True)
            return b'{"type": "message", "content": ['
    line.final = script.usage
    blocks = [_content(action) for action in script.actions if shown(action)]
    return dump_object(
        _message(script)
        | {"content": [*blocks], "stop_reason": script.stop_reason}
        | {"usage": _usage(script.usage, script.usage.output)}
    )


def _start(script: Script, line: BillLine) -> bytes:
    line.reported = script.usage
    return event(
        "message_start",
        {
            "message": _message(script)
            | {"content": [], "stop_reason": None, "usage": _usage(script.usage, 1)}
        },
    )


def _message_delta(script: Script) -> bytes:
    usage = _usage(script.usage, script.usage.output)
    return event(
        "message_delta",
        {"delta": {"stop_reason": script.stop_reason, "stop_sequence": None}, "usage": usage},
    )


async def _silence(seconds: float | None) -> AsyncGenerator[bytes, None]:
    """Waits, with pings as the real API sends them; a stall has none."""
    if seconds is None:
        await asyncio.sleep(3600 * 24)
        return
    while seconds > PING_SECONDS:
        await asyncio.sleep(PING_SECONDS)
        seconds -= PING_SECONDS
        yield _PING
    await asyncio.sleep(seconds)


def _broken(action: Break) -> bytes:
    if action.malformed:
        return b'event: content_block_delta\ndata: {"type": "content_block_delta", "ind\n\n'
    if action.error is None:
        raise ProviderError("The scripted provider cut the connection.", sent=True)
    return event("error", {"error": {"type": action.error.type, "message": action.error.message}})


async def _block(
    script: Script, action: Action, index: int, line: BillLine
) -> AsyncGenerator[bytes, None]:
    yield event("content_block_start", {"index": index, "content_block": _opening(action)})
    if index == 0:
        yield _PING
    for delta, characters in _deltas(action, script.pace.characters):
        if script.pace.seconds:
            await asyncio.sleep(script.pace.seconds)
        line.characters += characters
        yield event("content_block_delta", {"index": index, "delta": delta})
    yield event("content_block_stop", {"index": index})


def _deltas(action: Action, size: int) -> Iterator[tuple[JsonObject, int]]:
    """Each delta with the number of characters that it shows."""
    if isinstance(action, Text):
        for piece in _pieces(action.text, size):
            yield {"type": "text_delta", "text": piece}, len(piece)
    elif isinstance(action, Thinking):
        for piece in _pieces(action.text, size):
            yield {"type": "thinking_delta", "thinking": piece}, len(piece)
        yield {"type": "signature_delta", "signature": _signature(action)}, 0
    elif isinstance(action, ToolUse):
        yield {"type": "input_json_delta", "partial_json": ""}, 0
        for piece in _pieces(json.dumps(action.input, ensure_ascii=False), size):
            yield {"type": "input_json_delta", "partial_json": piece}, len(piece)


def _pieces(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _opening(action: Action) -> JsonObject:
    if isinstance(action, Thinking):
        return {"type": "thinking", "thinking": "", "signature": ""}
    if isinstance(action, ToolUse):
        return {"type": "tool_use", "id": action.id, "name": action.name, "input": {}}
    return {"type": "text", "text": ""}


def _content(action: Action) -> JsonObject:
    if isinstance(action, Thinking):
        return {"type": "thinking", "thinking": action.text, "signature": _signature(action)}
    if isinstance(action, ToolUse):
        return {"type": "tool_use", "id": action.id, "name": action.name, "input": action.input}
    return {"type": "text", "text": shown(action)}


def _signature(action: Thinking) -> str:
    return base64.b64encode(hashlib.sha256(action.text.encode()).digest()).decode()


def _message(script: Script) -> JsonObject:
    return {
        "id": script.id,
        "type": "message",
        "role": "assistant",
        "model": script.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(usage: UsageSpec, output: int) -> JsonObject:
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write5m + usage.cache_write1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write5m,
            "ephemeral_1h_input_tokens": usage.cache_write1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
    }
