"""A small HTTP server on loopback that takes the events of Claude Code's hooks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import h11

from ..jsonvalue import JsonObject, dump, load

_CHUNK = 1 << 16
_MOST_BYTES = 64 << 20
"""Of one event: a call's input and what the tool gave back."""

Take = Callable[[JsonObject], Awaitable[JsonObject]]
"""Answers one event."""


class HookServer:
    """Listens on a free port of 127.0.0.1 and answers only who knows the secret."""

    def __init__(self, take: Take, secret: str) -> None:
        self._take = take
        self._secret = secret.encode()
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Begins to listen; returns the URL."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_CHUNK)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._exchange(connection, reader, writer):
                connection.start_next_cycle()
        except (OSError, h11.ProtocolError):
            return  # who does not speak HTTP is not Claude Code
        finally:
            writer.close()

    async def _exchange(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """One request and its answer; True when the connection can take another."""
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_CHUNK))
            elif isinstance(event, h11.Request) and not self._is_known(event):
                await _send(connection, writer, 403, b"")
                return False
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _MOST_BYTES:
                    await _send(connection, writer, 413, b"")
                    return False
            elif isinstance(event, h11.EndOfMessage):
                break
            elif not isinstance(event, h11.Request):
                return False
        status, answer = await self._answer(bytes(body))
        await _send(connection, writer, status, answer)
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    def _is_known(self, request: h11.Request) -> bool:
        given = dict(request.headers).get(b"authorization", b"")
        return secrets.compare_digest(given, self._secret)

    async def _answer(self, body: bytes) -> tuple[int, bytes]:
        try:
            event = load(body)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            return 400, b""
        return 200, dump(await self._take(event)).encode(errors="replace")


async def _send(
    connection: h11.Connection, writer: asyncio.StreamWriter, status: int, body: bytes
) -> None:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    writer.write(connection.send(h11.Response(status_code=status, headers=headers)) or b"")
    writer.write(connection.send(h11.Data(data=body)) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
