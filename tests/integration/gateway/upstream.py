"""A stand-in for api.anthropic.com: records what arrives, answers the bytes it is given."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    """What to answer; what came. `chunks` are written one by one; `cut` breaks the connection."""

    chunks: Sequence[bytes] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    cut: bool = False
    stand_still: bool = False
    received: list[Received] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except asyncio.CancelledError:
            self.gone.set()
            raise

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        names = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.raw_path, names, body))
        answer = web.StreamResponse(status=self.status, headers=self.headers)
        await answer.prepare(request)
        for chunk in self.chunks:
            await answer.write(chunk)
            await asyncio.sleep(0.001)  # a packet of its own, most of the time
        if self.stand_still:
            await asyncio.Event().wait()
        if self.cut and request.transport is not None:
            request.transport.abort()
        return answer


@asynccontextmanager
async def upstream(port: int) -> AsyncIterator[Upstream]:
    told = Upstream()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", told.handle)
    server = TestServer(application, host="127.0.0.1", port=port)
    await server.start_server()  # with handler_cancellation: it notices a client that goes
    try:
        yield told
    finally:
        await server.close()


def event(name: str, **fields: object) -> bytes:
    # Spaces and order as no serialiser of ours would write them.
    return (
        f"event: {name}\ndata: {json.dumps({'type': name, **fields}, indent=None)}  \n\n".encode()
    )


USAGE = {
    "input_tokens": 100,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 5000,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 1,
}
START = event(
    "message_start",
    message={"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": USAGE},
)
TEXT = event("content_block_start", index=0, content_block={"type": "text", "text": ""}) + event(
    "content_block_delta", index=0, delta={"type": "text_delta", "text": "Grüße, Ωμέγα!"}
)
END = (
    event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 50})
    + event("message_stop")
)
STREAM = START + b"event: ping\ndata: {}\n\n" + TEXT + b": a comment\n\n" + END
# claude-opus-5-5: 4 / 20 / read 0.20 / write 5 / write 1 h 8 dollars per million
INPUT_NANOS = 100 * 4_000 + 5000 * 200 + 200 * 5_000 + 100 * 8_000
EXACT_NANOS = INPUT_NANOS + 50 * 20_000
