"""The api's ingest as a program of its own, which tests kill and start again.

Beside it, faults that a network makes: every n-th request is carried out twice, and the answer of
every n-th breaks off.
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliostat_api.documents.actions import Actions
from heliostat_api.documents.files import FILE_BYTES, FILES_BYTES, FileBounds, Files
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.ingest.endpoints import add_ingest
from heliostat_api.ingest.keyring import Keyring
from heliostat_api.ingest.service import Ingest
from heliostat_api.web.problems import add_problems
from support.deliveries import KnownRuns

AUDIENCE = "person:local"


class Unruly:
    """ASGI middleware; 0 = never."""

    def __init__(self, app: ASGIApp, repeat: int, drop: int) -> None:
        self._app = app
        self._repeat = repeat
        self._drop = drop
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        self._count += 1
        if self._repeat and self._count % self._repeat == 0:
            receive = await _twice(self._app, scope, receive)
        if self._drop and self._count % self._drop == 0:
            send = _breaking_off(send)
        return await self._app(scope, receive, send)


async def _twice(app: ASGIApp, scope: Scope, receive: Receive) -> Receive:
    """Carries the request out, and returns it for a second time."""
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())

    def replay() -> Receive:
        left = list(messages)

        async def again() -> Message:
            return left.pop(0)

        return again

    async def nobody(_: Message) -> None:
        return None

    await app(scope, replay(), nobody)
    return replay()


def _breaking_off(send: Send) -> Send:
    async def broken(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(b"content-length", b"100000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
        else:
            await send({"type": "http.response.body", "body": b'{"next":', "more_body": False})

    return broken


def build_app(folder: Path, known: str, bounds: FileBounds) -> FastAPI:
    def clock() -> datetime:
        return datetime.now(UTC)

    app = FastAPI()
    documents = open_sqlite(folder / "documents.db")
    add_problems(app)
    add_ingest(
        app,
        Ingest(
            transcripts=Transcripts(documents),
            files=Files(documents, clock, bounds),
            actions=Actions(documents, clock),
            owners=KnownRuns(**{known.replace("-", "_"): (AUDIENCE,)}),
            log=SqliteEventLog(folder / "log.db"),
            clock=clock,
        ),
        Keyring(folder / "keys"),
    )
    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--known", required=True)
    parser.add_argument("--repeat", type=int, default=0)
    parser.add_argument("--drop", type=int, default=0)
    parser.add_argument("--file-bytes", type=int, default=FILE_BYTES)
    parser.add_argument("--files-bytes", type=int, default=FILES_BYTES)
    chosen = parser.parse_args()
    bounds = FileBounds(chosen.file_bytes, chosen.files_bytes)
    app = Unruly(build_app(chosen.folder, chosen.known, bounds), chosen.repeat, chosen.drop)
    config = uvicorn.Config(app, host="127.0.0.1", port=chosen.port, access_log=False)
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
