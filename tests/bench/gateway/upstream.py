"""A model provider that costs next to nothing: canned answers, no HTTP framework.

`python -m bench.gateway.upstream PORT`: `/v1/messages` and `/v1/chat/completions`, streamed if the
body asks for it; with `answer-slow` in it, an event every 100 ms for ten seconds.
"""

import asyncio
import json
import sys

import uvloop

from bench.gateway.wires import Wire

_USAGE = {
    "input_tokens": 20,
    "output_tokens": 12,
    "cache_read_input_tokens": 0,
    "cache_creation_input_tokens": 0,
}
_CHAT_USAGE = {"prompt_tokens": 20, "completion_tokens": 12, "total_tokens": 32}
_TEXT = "twelve tokens of an answer that says nothing in particular"
_SLOW_EVENTS, _SLOW_SECONDS = 100, 0.1


def _event(name: str, **fields: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


def _chunk(choices: list[object], **fields: object) -> bytes:
    shown = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**shown, 'choices': choices, **fields})}\n\n".encode()


_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
_DELTA = _event("content_block_delta", index=0, delta={"type": "text_delta", "text": _TEXT[:6]})
_CHAT_DELTA = _chunk([{"index": 0, "delta": {"content": _TEXT[:6]}, "finish_reason": None}])
MESSAGES_BEGIN = _event(
    "message_start",
    message={
        **_MESSAGE,
        "content": [],
        "stop_reason": None,
        "usage": {**_USAGE, "output_tokens": 1},
    },
) + _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
MESSAGES_END = (
    _event("content_block_stop", index=0)
    + _event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": 12},
    )
    + _event("message_stop")
)
CHAT_BEGIN = _chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}}])
CHAT_END = (
    _chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    + _chunk([], usage=_CHAT_USAGE)
    + b"data: [DONE]\n\n"
)
_WHOLE = {
    True: json.dumps(
        {
            **_MESSAGE,
            "content": [{"type": "text", "text": _TEXT}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": _USAGE,
        }
    ).encode(),
    False: json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": _TEXT},
                    "finish_reason": "stop",
                }
            ],
            "usage": _CHAT_USAGE,
        }
    ).encode(),
}


def _chunked(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
_STREAM = {
    True: (MESSAGES_BEGIN, _DELTA, MESSAGES_END),
    False: (CHAT_BEGIN, _CHAT_DELTA, CHAT_END),
}


class Provider(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._transport: Wire | None = None
        self._slow: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Wire)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if self._slow is not None:
            self._slow.cancel()

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._held[:end]).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        if len(self._held) < end + 4 + length:
            return
        body = bytes(self._held[end + 4 : end + 4 + length])
        del self._held[: end + 4 + length]
        self._answer(b"/messages" in head.split(b"\r\n")[0], body)

    def _answer(self, is_messages: bool, body: bytes) -> None:
        assert self._transport is not None
        if b'"stream":true' not in body.replace(b" ", b""):
            whole = _WHOLE[is_messages]
            head = (
                f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(whole)}"
            )
            self._transport.write(head.encode() + b"\r\n\r\n" + whole)
            return
        begin, delta, end = _STREAM[is_messages]
        if b"answer-slow" in body:
            self._slow = asyncio.get_running_loop().create_task(self._stream(begin, delta, end))
            return
        self._transport.write(
            _STREAM_HEAD + _chunked(begin) + _chunked(delta * 5) + _chunked(end) + b"0\r\n\r\n"
        )

    async def _stream(self, begin: bytes, delta: bytes, end: bytes) -> None:
        assert self._transport is not None
        self._transport.write(_STREAM_HEAD + _chunked(begin))
        for _ in range(_SLOW_EVENTS):
            await asyncio.sleep(_SLOW_SECONDS)
            self._transport.write(_chunked(delta))
        self._transport.write(_chunked(end) + b"0\r\n\r\n")


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
