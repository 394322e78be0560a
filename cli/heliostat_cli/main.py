"""The `heliostat` command: a table of contents, each command one call.

What writes brings the schemas and their rules with it, and is imported where it is needed: nobody
should wait for that to read.
"""

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from heliostat_cli import gateway, policy_commands, reading, schedule_commands
from heliostat_cli.errors import CliError
from heliostat_cli.kinds import parse_target
from heliostat_cli.options import (
    ContextOption,
    ExecutionArgument,
    FileNamespaceOption,
    FilesOption,
    KindArgument,
    NamesArgument,
    NamespaceOption,
    OutputOption,
    WorldOption,
)
from heliostat_cli.screen import Terminal
from heliostat_cli.sessions import finish, in_world, open_place, report, utc_now
from heliostat_cli.worlds import OpenWorld, Place, WorldName, choose_place
from heliostat_core.worlds import EXECUTION, Ref, Selection

app = typer.Typer(
    name="heliostat",
    help="Declare an agent and run it: on this machine (embedded) or on a cluster.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(gateway.app, name="gateway")
app.add_typer(schedule_commands.app, name="schedule")
app.add_typer(policy_commands.app, name="policy")


@app.command()
def run(
    target: Annotated[
        str, typer.Argument(metavar="FILE|AGENT", help="YAML file with an Agent, or a name.")
    ],
    input_: Annotated[
        str | None,
        typer.Option("--input", "-i", help="Text for the agent; @FILE or @- reads it."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="For ${parameters.NAME}."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Show progress until the end.")
    ] = True,
    context: ContextOption = None,
    namespace: FileNamespaceOption = None,
) -> None:
    """Run an agent once and show how it goes.

    It runs on this machine, or on a cluster with --context. Exit code 0: succeeded; 1: failed or
    cancelled; 2: wrong usage; 130: interrupted. Ctrl-C cancels an embedded run; on a cluster the
    run goes on.
    """
    from heliostat_cli import running
    from heliostat_cli.requests import parse_parameters, read_input

    request = running.read_request(
        target, namespace, read_input(input_), parse_parameters(parameter or [])
    )
    place = Place(WorldName.CLUSTER if context else WorldName.EMBEDDED, context)

    async def session() -> int:
        async with open_place(place, changes=True) as opened:
            embedded = place.world is WorldName.EMBEDDED
            placed = request.placed(opened.namespace)
            return await running.run(opened, Terminal(), placed, follow=follow, cancels=embedded)

    finish(session())


@app.command()
def get(
    kind: KindArgument,
    names: NamesArgument = None,
    output: OutputOption = None,
    namespace: NamespaceOption = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Of all namespaces.")
    ] = False,
    selector: Annotated[
        str | None, typer.Option("--selector", "-l", help="Only with these labels.")
    ] = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """List agents or executions, or show some by name."""
    targets = parse_target(kind, names or [])
    terms = (selector,) if selector else ()

    async def work(opened: OpenWorld) -> None:
        where = None if everywhere else namespace or opened.namespace
        selection = Selection(namespace=where, label_terms=terms)
        await reading.get(opened, Terminal(), targets, selection, output, utc_now)

    in_world(work, world, context)


@app.command()
def describe(
    kind: KindArgument,
    names: NamesArgument = None,
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Show everything about agents or executions, for people."""
    targets = parse_target(kind, names or [])

    async def work(opened: OpenWorld) -> None:
        await reading.describe(opened, Terminal(), targets, namespace or opened.namespace, utc_now)

    in_world(work, world, context)


@app.command()
def why(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An Execution, else an Agent.")],
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Say why an execution does not run, and when it may."""

    async def work(opened: OpenWorld) -> None:
        await reading.why(opened, Terminal(), name, namespace or opened.namespace, utc_now)

    in_world(work, world, context)


@app.command()
def logs(
    name: ExecutionArgument,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the attempt ends.")
    ] = False,
    attempt: Annotated[
        int | None, typer.Option("--attempt", help="Which attempt; default: the last one.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Every event as a JSON line, not a line a step.")
    ] = False,
    tail: Annotated[int | None, typer.Option("--tail", help="Show only the last N events.")] = None,
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Show what an execution did, step by step."""

    async def work(opened: OpenWorld) -> None:
        ref = Ref(EXECUTION, namespace or opened.namespace, name)
        await reading.logs(
            opened, Terminal(), ref, attempt=attempt, follow=follow, raw=raw, tail=tail
        )

    in_world(work, world, context)


@app.command()
def cancel(
    name: ExecutionArgument,
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Stop an execution for good and wait until it has stopped."""
    from heliostat_cli import writing

    async def work(opened: OpenWorld) -> None:
        ref = Ref(EXECUTION, namespace or opened.namespace, name)
        await writing.cancel(opened, Terminal(), ref, utc_now)

    in_world(work, world, context, changes=True)


@app.command()
def resume(
    agent: schedule_commands.AgentArgument,
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Resume a paused schedule, whether paused by command or after failures."""
    schedule_commands.resume_schedule(agent, namespace, world, context)


@app.command()
def delete(
    kind: KindArgument,
    names: NamesArgument = None,
    namespace: NamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Delete agents or executions; what runs is stopped first."""
    from heliostat_cli import writing

    targets = parse_target(kind, names or [])

    async def work(opened: OpenWorld) -> None:
        await writing.delete(opened, Terminal(), targets, namespace or opened.namespace)

    in_world(work, world, context, changes=True)


@app.command()
def apply(
    filename: FilesOption,
    namespace: FileNamespaceOption = None,
    world: WorldOption = None,
    context: ContextOption = None,
) -> None:
    """Create or change agents and executions from YAML files."""
    from heliostat_cli import manifests, writing

    found = [manifests.read_manifest(path) for path in filename]

    async def work(opened: OpenWorld) -> None:
        terminal = Terminal()
        for manifest in found:
            await writing.apply(opened, terminal, manifest, namespace)

    in_world(work, world, context)


@app.command()
def demo(
    provider: Annotated[
        str, typer.Option("--provider", help="scripted (no key) or anthropic (the real model).")
    ] = "scripted",
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="State folder; default: `demo` in Heliostat's own."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Other sales than the ones that come with it.")
    ] = None,
) -> None:
    """Show two agents at work: one passes verification, one fails it.

    Real Claude Code on this machine; the first agent gets a CSV of sales, writes and runs a
    program, and its report is checked by an independent calculation. Exit code 0: both behaved as
    they should.
    """
    from heliostat_cli.demo import show

    finish(show.demo(Terminal(), provider, folder, csv, os.environ))


@app.command()
def dev(
    port: Annotated[
        int,
        typer.Option("--port", min=1, max=65535, help="Of the dashboard; the gateway's is next."),
    ] = 8080,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="State folder; default: HELIOSTAT_HOME, else .heliostat here."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the dashboard in the browser.")
    ] = True,
) -> None:
    """Serve the dashboard, the gateway and this machine's own world until Ctrl-C.

    It listens on 127.0.0.1 only, for its agents run commands on this machine. Without a provider's
    key in the environment the scripted provider answers.
    """
    from heliostat_cli.dev import command
    from heliostat_cli.embedded.folders import DEV_FOLDER

    root = folder or Path(os.environ.get("HELIOSTAT_HOME") or DEV_FOLDER)
    finish(command.dev(Terminal(), root, port, command.read_gateway(), opens=browser))


@app.command()
def version() -> None:
    """Print the version and the default world."""
    Terminal().line(
        f"heliostat {installed_version('heliostat-cli')}, "
        f"world: {choose_place(None, None, os.environ).world.value}"
    )


def main() -> None:
    """Entry of the program."""
    try:
        app()
    except CliError as error:
        sys.exit(report(error))
    except BrokenPipeError:
        # Whoever read our output has seen enough, as with `| head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
