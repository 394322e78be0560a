"""The command reference of docs/cli.md: what every command says about itself."""

from typer.testing import CliRunner

from heliostat_cli.main import app

_WIDTH = "100"


def build_reference() -> str:
    """The help of the program and of each of its commands, in order."""
    sections = [_section("heliostat")]
    for registered in app.registered_commands:
        if registered.callback is not None:
            name = registered.name or registered.callback.__name__
            sections.append(_section(f"heliostat {name}", name))
    for group in app.registered_groups:
        if group.typer_instance is None:
            continue
        for registered in group.typer_instance.registered_commands:
            if registered.callback is not None:
                name = registered.name or registered.callback.__name__
                sections.append(_section(f"heliostat {group.name} {name}", f"{group.name}", name))
    return "\n\n".join(sections)


def _section(title: str, *arguments: str) -> str:
    environ = {"COLUMNS": _WIDTH, "NO_COLOR": "1"}
    told = CliRunner().invoke(app, [*arguments, "--help"], prog_name="heliostat", env=environ)
    if told.exit_code:
        raise ValueError(f"{title} --help ends with {told.exit_code}: {told.output}")
    lines = "\n".join(line.rstrip() for line in told.output.strip().splitlines())
    return f"### {title}\n\n```text\n{lines}\n```"
