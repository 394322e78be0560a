"""The command reference of docs/cli.md: what every command says about itself."""

from collections.abc import Iterator

from typer import Typer
from typer.testing import CliRunner

from heliostat_cli.main import app

_WIDTH = "100"


def build_reference() -> str:
    """The help of the program, of each of its commands, and of its groups with theirs, in order."""
    sections = [_section("heliostat"), *_sections(app)]
    for group in app.registered_groups:
        if group.typer_instance is not None and group.typer_instance.info.name:
            name = group.typer_instance.info.name
            sections += [
                _section(f"heliostat {name}", name),
                *_sections(group.typer_instance, name),
            ]
    return "\n\n".join(sections)


def _sections(commands: Typer, *before: str) -> Iterator[str]:
    for registered in commands.registered_commands:
        if registered.callback is not None:
            path = (*before, registered.name or registered.callback.__name__)
            yield _section(" ".join(("heliostat", *path)), *path)


def _section(title: str, *arguments: str) -> str:
    environ = {"COLUMNS": _WIDTH, "NO_COLOR": "1"}
    told = CliRunner().invoke(app, [*arguments, "--help"], prog_name="heliostat", env=environ)
    if told.exit_code:
        raise ValueError(f"{title} --help ends with {told.exit_code}: {told.output}")
    lines = "\n".join(line.rstrip() for line in told.output.strip().splitlines())
    return f"### {title}\n\n```text\n{lines}\n```"
