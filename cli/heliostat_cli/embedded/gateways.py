"""The gateway inside this process, on a loopback port that it comes back on."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from heliostat_api.web.guards import HostGuard
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.ports import (
    ANY_PORT,
    HOST,
    NAMES,
    WantedPort,
    listen_from,
    listen_on,
    port_of,
)
from heliostat_cli.errors import CliError
from heliostat_gateway.__main__ import KEEP_ALIVE_SECONDS, Server
from heliostat_gateway.main import create_app
from heliostat_gateway.settings import Settings

_POLL_SECONDS = 0.01
_SHUTDOWN_SECONDS = 2


class GatewayDiedError(Exception):
    """The gateway ended though nobody asked it to."""


class EmbeddedServer(uvicorn.Server):
    """A server inside a program: signals belong to the program around."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves them alone."""
        yield


class _GatewayServer(EmbeddedServer, Server):
    pass


@asynccontextmanager
async def serving(
    folder: StateFolder, settings: Settings, wanted: WantedPort = ANY_PORT
) -> AsyncIterator[asyncio.Task[None]]:
    """Serves as long as the block runs; yields the server's task once it answers.

    Host, port, keys and data are those of the state folder, the rest is as given. The wanted
    port is for a folder's first time.
    """
    listening = listen(folder, wanted)
    own = settings.model_copy(
        update={
            "host": HOST,
            "port": port_of(listening),
            "keys_dir": folder.public_keys,
            "api_keys_dir": folder.api_keys,
            "data_dir": folder.gateway,
            "redis_url": SecretStr(""),  # a world of its own
        }
    )
    app = create_app(own)
    app.add_middleware(HostGuard, hosts=NAMES)
    async with serving_app(app, listening, _GatewayServer) as task:
        yield task


@asynccontextmanager
async def serving_app(
    app: FastAPI, listening: socket.socket, server_type: type[EmbeddedServer]
) -> AsyncIterator[asyncio.Task[None]]:
    """Serves an app inside this process, as long as the block runs."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = server_type(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(_POLL_SECONDS)
        yield task
    finally:
        server.should_exit = True
        await task


def listen(folder: StateFolder, wanted: WantedPort = ANY_PORT) -> socket.socket:
    """A socket on the port of last time, which running children know; else on a free one.

    Where another program has that port meanwhile, those children end as infrastructure.
    """
    with suppress(OSError, ValueError):
        wanted = replace(wanted, first=int(folder.gateway_port.read_text()))
    try:
        listening = listen_from(wanted)
    except CliError:
        listening = listen_on(0)
    folder.gateway_port.write_text(f"{port_of(listening)}\n")
    return listening


def gateway_address(folder: StateFolder) -> str:
    """Where the gateway of a folder answers; known once somebody hosts."""
    return f"http://{HOST}:{folder.gateway_port.read_text().strip()}"
