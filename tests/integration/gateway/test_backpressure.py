"""Nothing is buffered whole: a client that reads no more holds its provider up."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .gateway_process import GatewayProcess, small_request

PIECE = 64 * 1024
PIECES = 1024  # 64 MiB in all
STILL_SECONDS = 2.0  # so long nothing more was taken


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


USAGE = {"input_tokens": 1, "output_tokens": 1}
START = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
BEGIN = [
    event("message_start", message={**START, "usage": USAGE}),
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
]
DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "x" * PIECE})
END = [
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage=USAGE),
    event("message_stop"),
]


@dataclass
class Talker:
    """A provider that says a lot, as fast as it is taken."""

    said: int = 0  # pieces that were taken
    stands: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.writelines([HEAD, *BEGIN])
            for _ in range(PIECES):
                writer.write(DELTA)
                await self._taken(writer)
                self.said += 1
            writer.writelines(END)
            await writer.drain()
        writer.close()

    async def _taken(self, writer: asyncio.StreamWriter) -> None:
        taken = asyncio.ensure_future(writer.drain())
        await asyncio.wait([taken], timeout=STILL_SECONDS)
        if not taken.done():
            self.stands.set()
        await taken


@pytest.fixture
async def talker(tmp_path: Path) -> AsyncIterator[tuple[Talker, GatewayProcess]]:
    """It, and a gateway before it."""
    talker = Talker()
    server = await asyncio.start_server(talker.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = GatewayProcess(tmp_path)
    gateway.write_public_key()
    await asyncio.to_thread(
        gateway.start,
        ANTHROPIC_API_KEY="k",
        HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL=f"http://127.0.0.1:{port}",
    )
    async with server:
        yield talker, gateway
        await asyncio.to_thread(gateway.kill)


async def test_a_client_that_does_not_read_holds_the_provider_up(
    talker: tuple[Talker, GatewayProcess],
) -> None:
    provider, gateway = talker
    body = json.dumps(small_request("claude-opus-5-5")).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=PIECE)
    writer.write(
        f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {gateway.key('slow')}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
        + body
    )
    async with asyncio.timeout(120):
        await provider.stands.wait()
        assert provider.said < PIECES // 4, "most of the answer waits in the gateway"
        read = b""
        size = 0
        while chunk := await reader.read(PIECE):
            size += len(chunk)
            read = (read + chunk)[-200:]
    writer.close()
    assert provider.said == PIECES
    assert b"message_stop" in read
    assert size > PIECES * PIECE
