"""One command's life: a world is opened, the work is done, errors become words and exit codes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import typer

from heliostat_cli.errors import INTERRUPTED, CliError, explain, render_error
from heliostat_cli.screen import Terminal
from heliostat_cli.worlds import OpenWorld, Place, WorldName, choose_place, open_cluster
from heliostat_core.worlds import WorldError

Work = Callable[[OpenWorld], Awaitable[None]]


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_place(place: Place, *, changes: bool) -> AsyncIterator[OpenWorld]:
    """The world of a place. `changes`: somebody has to reconcile it while it is open."""
    if place.world is WorldName.CLUSTER:
        async with open_cluster(place.context) as opened:
            yield opened
        return
    from heliostat_cli.hosting import open_embedded

    async with open_embedded(hosted=changes) as opened:
        yield opened


def in_world(
    work: Work, world: WorldName | None, context: str | None, *, changes: bool = False
) -> None:
    """Do the work in the world that the options choose."""

    async def session() -> int:
        async with open_place(choose_place(world, context, os.environ), changes=changes) as opened:
            await work(opened)
        return 0

    finish(session())


def finish(session: Coroutine[None, None, int]) -> None:
    """Run to the end; the command's exit code is what the session returns.

    Raises CliError instead of WorldError.
    """
    try:
        code = asyncio.run(session)
    except WorldError as error:
        raise explain(error) from error
    except KeyboardInterrupt:
        code = INTERRUPTED
    exit_with(code)


def exit_with(code: int) -> None:
    """End the command with a code that says more than that it was done."""
    if code:
        raise typer.Exit(code)


def report(error: CliError) -> int:
    """Tell an expected error on stderr; the exit code for it."""
    Terminal().note(render_error(error))
    sys.stderr.flush()
    return error.exit_code
