"""The command reference of docs/cli.md: what every command says about itself."""

from typer import Typer
from typer.testing import CliRunner

from heliostat_cli.main import app

_WIDTH = "100"


def build_reference() -> str:
    """The help of the program and of each of its commands, in order."""
    return "\n\n".join(_section(" ".join(["heliostat", *path]), *path) for path in _paths(app))


def _paths(group: Typer, *before: str) -> list[tuple[str, ...]]:
    """A group, its commands, then the groups in it."""
    paths = [before, *((*before, name) for name in _names(group))]
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            paths += _paths(inner.typer_instance, *before, str(inner.name))
    return paths


def _names(app: Typer) -> list[str]:
    return [
        each.name or each.callback.__name__
        for each in app.registered_commands
        if each.callback is not None
    ]


def _section(title: str, *arguments: str) -> str:
    environ = {"COLUMNS": _WIDTH, "NO_COLOR": "1"}
    told = CliRunner().invoke(app, [*arguments, "--help"], prog_name="heliostat", env=environ)
    if told.exit_code:
        raise ValueError(f"{title} --help ends with {told.exit_code}: {told.output}")
    lines = "\n".join(line.rstrip() for line in told.output.strip().splitlines())
    return f"### {title}\n\n```text\n{lines}\n```"
