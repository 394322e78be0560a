"""The scripted provider as a program of its own: scenarios in, a listening server out."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from heliostat_scripted.bill import Bill
from heliostat_scripted.callers import Keys, read_key
from heliostat_scripted.scenario import ScenarioError, read_all_scenarios
from heliostat_scripted.scenario_selection import ScenarioSelection
from heliostat_scripted.server import ScriptedServer

DEFAULT_BILL = Path("scripted-bill.jsonl")
_SHUTDOWN_SECONDS = 2.0


class ProgramError(Exception):
    """The server can't start; the text names the option and the remedy."""


@dataclass(frozen=True)
class Options:
    """How the server is started."""

    port: int  # 0: any free one
    host: str = "127.0.0.1"
    scenarios: Path | None = None  # a folder with more
    default: str | None = None  # the scenario that answers every other model name
    bill: Path = DEFAULT_BILL
    api_keys: tuple[str, ...] = ()  # NAME=KEY or KEY; none: every key is accepted


@asynccontextmanager
async def listening(options: Options) -> AsyncIterator[str]:
    """A server that answers; gives its address. Raises ScenarioError, ProgramError."""
    if options.scenarios is not None and not options.scenarios.is_dir():
        raise ScenarioError(f"--scenarios ({options.scenarios}) must be a folder.")
    scenarios = read_all_scenarios(options.scenarios)
    if options.default is not None and options.default not in scenarios:
        known = ", ".join(sorted(scenarios))
        raise ProgramError(f"--default must name a scenario, one of: {known}.")
    server = ScriptedServer(
        ScenarioSelection(scenarios, options.default),
        Bill(options.bill),
        Keys(dict(read_key(text) for text in options.api_keys)),
    )
    # Cancelled when the client goes: a stall must end, and the bill be written.
    runner = web.AppRunner(
        server.build_app(),
        handler_cancellation=True,
        access_log=None,
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        try:
            await site.start()
        except OSError as error:
            message = f"--port ({options.port}) can't be used on {options.host}: {error.strerror}"
            raise ProgramError(message) from error
        port: int = runner.addresses[0][1]
        yield f"http://{options.host}:{port}"
    finally:
        await runner.cleanup()


async def serve(options: Options, say: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT. Raises ScenarioError, ProgramError."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with listening(options) as address:
        say(f"scripted provider: {address}, bill: {options.bill}")
        await ended.wait()
