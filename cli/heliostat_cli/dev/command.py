"""Serves api, dashboard, gateway and the embedded world until it is told to stop."""

import asyncio
import logging
import os
import signal
import socket
import threading
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.main import create_app
from heliostat_api.app.server import ApiServer
from heliostat_api.base.person import LOCAL
from heliostat_api.documents.files import FileBounds
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.events.sqlite_log import SqliteEventLog
from heliostat_api.gateway.client import GatewayPlace, Identity, read_signing_key
from heliostat_api.people.secrets import read_secret
from heliostat_api.web.guards import HostGuard
from heliostat_cli import STARTED
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.gateways import EmbeddedServer, gateway_address, serving_app
from heliostat_cli.embedded.host import embedded_operator_settings
from heliostat_cli.embedded.logs import EmbeddedLogs
from heliostat_cli.embedded.ports import HOST, NAMES, Taken, WantedPort, listen_from, port_of
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_cli.errors import CliError
from heliostat_cli.hosting import open_folder
from heliostat_cli.screen import Terminal
from heliostat_cli.sessions import utc_now
from heliostat_cli.summary import render_rows
from heliostat_gateway.settings import (
    Settings,
    SettingsError,
    read_settings,
    with_somebody_to_answer,
)
from heliostat_telemetry.lines import TextLines, set_up_lines
from heliostat_telemetry.spans import open_spans

_NAMESPACE = "default"
_CHAT_MODEL = "HELIOSTAT_API_CHAT_MODEL"


class _ApiServer(EmbeddedServer, ApiServer):
    pass


async def dev(terminal: Terminal, root: Path, port: int, gateway: Settings, *, opens: bool) -> int:
    """Exit code 0 once it was told to stop. Raises CliError."""
    set_up_lines(TextLines(), logging.WARNING)
    folder = StateFolder(root.absolute())
    stop = stop_signal()
    wanted = WantedPort(port, lambda taken: terminal.note(say_taken(taken)))
    with closing(listen_from(wanted)) as listening:
        number = port_of(listening)
        address = f"http://{HOST}:{number}"
        operator = embedded_operator_settings(api_url=address)
        async with open_folder(
            folder,
            hosted=True,
            gateway=gateway,
            operator=operator,
            port=replace(wanted, first=number + 1),
        ) as opened:
            if opened.goes_on:
                raise second_one(folder)
            bounds = FileBounds(operator.file_bytes, operator.files_bytes)
            async with serving_api(folder, listening, bounds, gateway.otlp_endpoint) as server:
                seconds = time.monotonic() - STARTED
                terminal.line(render_welcome(address, folder, gateway, seconds))
                if opens:
                    # Some browsers end before it returns, and ask us meanwhile.
                    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
                stopping = asyncio.create_task(stop.wait())
                await asyncio.wait({stopping, server}, return_when=asyncio.FIRST_COMPLETED)
                stopping.cancel()
    terminal.line("stopped; runs still in progress are picked up at the next start")
    return 0


def read_gateway() -> Settings:
    """The gateway's settings from the environment. Raises CliError."""
    try:
        given = read_settings()
    except SettingsError as error:
        raise CliError(str(error), "Fix that setting.") from error
    return given if "default_provider" in given.model_fields_set else with_somebody_to_answer(given)


def second_one(folder: StateFolder) -> CliError:
    """What a second one on the same folder is told."""
    holder = folder.host_lock.read_text().strip()
    return CliError(
        f"process {holder} serves {folder.root} already",
        f"Use that one, stop it with `kill {holder}`, or choose another folder with --dir.",
    )


def say_taken(taken: Taken) -> str:
    """One line."""
    return f"port {taken.port} is taken by {taken.holder}; trying the next one"


def render_welcome(address: str, folder: StateFolder, gateway: Settings, seconds: float) -> str:
    """What it does, and where."""
    scripted = gateway.default_provider == "scripted"
    model = "scripted: no key, nothing leaves this machine" if scripted else "your providers' keys"
    return render_rows(
        [
            ("dashboard", address),
            ("model calls", model),
            ("folder", str(folder.root)),
            ("ready after", f"{seconds:.1f} s; Ctrl-C stops it"),
        ]
    )


@asynccontextmanager
async def serving_api(
    folder: StateFolder, listening: socket.socket, bounds: FileBounds, otlp_endpoint: str
) -> AsyncIterator[asyncio.Task[None]]:
    """Serves as long as the block runs; yields the server's task once it answers."""
    with closing(Store(folder.world_file)) as store:
        documents = open_sqlite(folder.documents_file)
        log = SqliteEventLog(folder.events_file)
        world = EmbeddedWorld(store)
        spans = open_spans("heliostat-api", otlp_endpoint)
        app = create_app(
            Dependencies(
                world=world.as_manager,
                logs=EmbeddedLogs(world, folder),
                keys_dir=folder.public_keys,
                documents=documents,
                log=log,
                session_secrets=(read_secret(folder.session_key),),
                hosts=NAMES,
                namespace=_NAMESPACE,
                owner=LOCAL.id,
                clock=utc_now,
                gateway=gateway_place(folder),
                chat_model=os.environ.get(_CHAT_MODEL, ""),
                is_alone=True,
                file_bounds=bounds,
                spans=spans,
            )
        )
        app.add_middleware(HostGuard, hosts=NAMES)
        try:
            async with serving_app(app, listening, _ApiServer) as task:
                yield task
        finally:
            if spans:
                await spans.close()
            await log.close()
            await documents.close()


def gateway_place(folder: StateFolder) -> GatewayPlace:
    """The gateway of this folder, which gets the api's public key."""
    identity = Identity(read_signing_key(folder.api_key, makes=True), utc_now)
    name, text = identity.published()
    folder.api_keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder.api_keys / name).write_text(text)
    return GatewayPlace(gateway_address(folder), identity)


def stop_signal() -> asyncio.Event:
    """Set by Ctrl-C and by SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop
