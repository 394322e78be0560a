"""`heliostat policy`: a table of contents, each command one call."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from heliostat_cli.screen import Terminal
from heliostat_cli.sessions import exit_with


class CheckOutput(StrEnum):
    """How verdicts are printed instead of in columns."""

    JSON = "json"


app = typer.Typer(
    help="Try what a policy makes of commands.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def group() -> None:
    """Try what a policy makes of commands."""


@app.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="YAML file with an Agent, whose rules hold; default: no rules."
        ),
    ] = None,
    output: Annotated[
        CheckOutput | None,
        typer.Option("--output", "-o", help="One object a line instead.", show_default=False),
    ] = None,
) -> None:
    """Say for each command whether it is allowed, asked about or refused, and why.

    Commands of Bash come from stdin, one a line; none of them is run. Exit code 0: all were judged;
    2: a rule, an example of a rule or a line is wrong.
    """
    from heliostat_cli import policies

    exit_with(policies.check(Terminal(), file, as_json=output is not None))
