"""What the runbooks name is there: commands of ours, dashboards, panels."""

import typer

from heliostat_cli.main import app
from support.promql import read_dashboards
from support.runbooks import commands, panels


def test_every_command_of_ours_is_understood() -> None:
    asked = list(commands("heliostat"))
    assert len(asked) > 5
    for words in asked:
        context = typer.main.get_command(app).make_context("heliostat", list(words))
        while isinstance(command := context.command, typer.core.TyperGroup):
            name, below, rest = command.resolve_command(
                context, [*context._protected_args, *context.args]
            )
            assert below is not None
            context = below.make_context(name, rest, parent=context)


def test_every_panel_is_on_its_dashboard() -> None:
    boards = {each.title: {panel.title for panel in each.panels} for each in read_dashboards()}
    asked = list(panels())
    assert len(asked) > 10
    for board, panel in asked:
        assert panel in boards[f"Heliostat: {board}"], (board, panel)
