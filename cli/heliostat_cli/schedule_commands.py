"""`heliostat schedule`: a table of contents, each command one call."""

from datetime import timedelta
from typing import Annotated

import typer

from heliostat_cli import schedules
from heliostat_cli.options import ContextOption, NamespaceOption, WorldOption
from heliostat_cli.screen import Terminal
from heliostat_cli.sessions import in_world, utc_now
from heliostat_cli.worlds import OpenWorld, WorldName
from heliostat_core.worlds import AGENT, Ref

app = typer.Typer(help="Preview, pause, resume and backfill schedules.")

AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="Name of an Agent.")]


@app.command()
def preview(
    target: Annotated[
        str, typer.Argument(metavar="FILE|AGENT", help="YAML file with an Agent, or a name.")
    ],
    count: Annotated[int, typer.Option("--count", min=1, max=100, help="How many times.")] = 10,
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Show a schedule in words, and its next times."""
    from heliostat_cli.requests import is_file_target

    if is_file_target(target):
        _preview_file(target, count)
        return

    async def work(opened: OpenWorld) -> None:
        ref = Ref(AGENT, namespace or opened.namespace, target)
        await schedules.preview(opened, Terminal(), ref, count, utc_now())

    in_world(work, world, context)


def _preview_file(target: str, count: int) -> None:
    from pathlib import Path

    from heliostat_cli.errors import UsageError
    from heliostat_cli.manifests import read_manifest

    found = schedules.agents_in(read_manifest(Path(target)).of(AGENT))
    if not found:
        raise UsageError(f"{target}: no Agent in it has a schedule", "Add spec.schedule.")
    for name, schedule in found:
        schedules.show(Terminal(), name, schedule, count, utc_now())


@app.command()
def pause(
    agent: AgentArgument,
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Skip the times of a schedule until it is resumed."""

    async def work(opened: OpenWorld) -> None:
        ref = Ref(AGENT, namespace or opened.namespace, agent)
        await schedules.pause(opened, Terminal(), ref)

    in_world(work, world, context)


@app.command()
def resume(
    agent: AgentArgument,
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Resume a paused schedule, whether paused by command or after failures."""
    resume_schedule(agent, namespace, world, context)


def resume_schedule(
    agent: str, namespace: str | None, world: WorldName | None, context: str | None
) -> None:
    """What `heliostat resume` does too."""

    async def work(opened: OpenWorld) -> None:
        ref = Ref(AGENT, namespace or opened.namespace, agent)
        await schedules.resume(opened, Terminal(), ref, utc_now())

    in_world(work, world, context)


@app.command()
def backfill(
    agent: AgentArgument,
    start: Annotated[
        str, typer.Option("--from", help="First instant, RFC 3339; UTC without an offset.")
    ],
    end: Annotated[
        str, typer.Option("--to", help="Last instant, in the same form; not in the future.")
    ],
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Run an agent for each time of its schedule in a span; what has run is left alone.

    What has run is known by its Execution, and by the last 32 receipts in status.schedule.recent:
    a time before these whose Execution history has cleaned up runs again. A time in a blackout
    runs too; the answer says so.
    """
    first = schedules.parse_instant("--from", start) - timedelta(seconds=1)
    last = schedules.parse_instant("--to", end)

    async def work(opened: OpenWorld) -> None:
        ref = Ref(AGENT, namespace or opened.namespace, agent)
        await schedules.backfill(opened, Terminal(), ref, first, last, utc_now())

    in_world(work, world, context)
