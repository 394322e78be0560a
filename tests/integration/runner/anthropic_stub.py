"""A tiny Anthropic endpoint: streams scripted turns in the real protocol, remembers requests.

The turn of a request is the number of assistant messages in it, so a resumed session goes on where
it was, and a turn that is asked twice is visible in `requests`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JsonMap = Mapping[str, object]


@dataclass(frozen=True)
class Say:
    """The model's last words: end of turn."""

    text: str
    stop_reason: str = "end_turn"
    input_tokens: int = 10
    output_tokens: int = 5


@dataclass(frozen=True)
class Call:
    """One tool call."""

    name: str
    arguments: JsonMap
    input_tokens: int = 10
    output_tokens: int = 5


@dataclass(frozen=True)
class Calls:
    """Several tool calls in one answer."""

    calls: Sequence[Call]
    input_tokens: int = 10
    output_tokens: int = 5


@dataclass(frozen=True)
class Refuse:
    """An HTTP error instead of a stream."""

    status: int
    kind: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stall:
    """Headers and the start of a stream, then silence until the client or the test goes away."""


@dataclass(frozen=True)
class Cut:
    """The start of an answer, then a closed connection."""

    text: str


Turn = Say | Call | Calls | Refuse | Stall | Cut
Script = Callable[[int, int], Turn]
"""(turn from 0, how often this turn was asked before) -> what to answer."""


@dataclass(frozen=True)
class Request:
    turn: int
    path: str
    headers: Mapping[str, str]
    body: JsonMap


def in_order(turns: Sequence[Turn]) -> Script:
    return lambda turn, _: turns[min(turn, len(turns) - 1)]


class AnthropicStub:
    """Serves `script` on a free loopback port until `close`."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.arrived = threading.Condition()
        self.closed = threading.Event()
        stub = self

        class Handler(_Handler):
            owner = stub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def turns(self) -> list[int]:
        return [request.turn for request in self.requests]

    def answer(self, request: Request) -> Turn:
        with self.arrived:
            asked = self.turns.count(request.turn)
            self.requests.append(request)
            self.arrived.notify_all()
        return self.script(request.turn, asked)

    def wait_for_requests(self, count: int, timeout: float = 30) -> None:
        with self.arrived:
            if not self.arrived.wait_for(lambda: len(self.requests) >= count, timeout):
                raise TimeoutError(f"{len(self.requests)} of {count} requests after {timeout} s")

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: AnthropicStub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        turn = sum(1 for message in body["messages"] if message["role"] == "assistant")
        request = Request(turn, self.path, dict(self.headers), body)
        answer = self.owner.answer(request)
        try:
            self._send(answer, str(body["model"]), len(self.owner.requests))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, answer: Turn, model: str, number: int) -> None:
        if isinstance(answer, Refuse):
            self._refuse(answer)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        self._stream(answer, model, f"msg_{number:024d}")

    def _refuse(self, answer: Refuse) -> None:
        error = {"type": answer.kind, "message": answer.message}
        data = json.dumps({"type": "error", "error": error, "request_id": "req_1"}).encode()
        self.send_response(answer.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(
        self, answer: Say | Call | Calls | Stall | Cut, model: str, message_id: str
    ) -> None:
        usage = {
            "input_tokens": answer.input_tokens if isinstance(answer, Say | Call | Calls) else 10,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
        }
        message: JsonMap = {
            "id": message_id,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        self._event({"type": "message_start", "message": message})
        self._event({"type": "ping"})
        if isinstance(answer, Stall):
            self.owner.closed.wait(120)
            return
        if isinstance(answer, Cut):
            self._block(answer, message_id, 0)
            return
        for index, block in enumerate(answer.calls if isinstance(answer, Calls) else [answer]):
            self._block(block, message_id, index)
            self._event({"type": "content_block_stop", "index": index})
        stop = answer.stop_reason if isinstance(answer, Say) else "tool_use"
        self._event(
            {
                "type": "message_delta",
                "delta": {"stop_reason": stop, "stop_sequence": None},
                "usage": {**usage, "output_tokens": answer.output_tokens},
            }
        )
        self._event({"type": "message_stop"})

    def _block(self, answer: Say | Call | Cut, message_id: str, index: int) -> None:
        if isinstance(answer, Call):
            tool_id = message_id.replace("msg_", "toolu_")
            start: JsonMap = {
                "type": "tool_use",
                "id": f"{tool_id}{index or ''}",
                "name": answer.name,
                "input": {},
            }
            delta: JsonMap = {
                "type": "input_json_delta",
                "partial_json": json.dumps(answer.arguments),
            }
        else:
            start = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": answer.text}
        self._event({"type": "content_block_start", "index": index, "content_block": start})
        self._event({"type": "content_block_delta", "index": index, "delta": delta})

    def _event(self, event: JsonMap) -> None:
        self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()
