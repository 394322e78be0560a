"""What the demo says around its two acts."""

import shutil
from pathlib import Path

import pytest

from heliostat_cli.demo.acts import ACTS
from heliostat_cli.demo.show import render_end, render_next, render_pieces, render_verdict
from heliostat_cli.running import Ran
from heliostat_cli.steps import Narrator
from heliostat_cli.summary import Workspace
from heliostat_core.executions import Execution

VERIFIED, REFUSED = ACTS


def test_each_act_has_to_end_in_its_own_way(succeeded: Execution, refused: Execution) -> None:
    good, bad = Ran(succeeded, Narrator()), Ran(refused, Narrator())
    assert render_verdict(VERIFIED, good) == "as expected it had to end as Verified"
    assert render_verdict(REFUSED, bad) == "as expected it had to end as VerificationFailed"
    assert render_verdict(REFUSED, good) == (
        "UNEXPECTED  it had to end as VerificationFailed, not as Verified"
    )
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert Ran(succeeded, Narrator(), interrupted=True).exit_code == 130


def test_the_end_counts_what_went_wrong() -> None:
    assert render_end(0, 12.34) == "Both behaved as they should (12.3 s)."
    assert render_end(1, 2) == "1 of 2 agents did not behave as they should (2.0 s)."


def test_the_report_and_the_picture_are_shown(tmp_path: Path) -> None:
    assert render_pieces(Workspace(tmp_path)) == ""
    (tmp_path / "report.md").write_text("# Revenue\n\n| Region | Revenue |\n| A | 1.00 |\n")
    (tmp_path / "chart.png").touch()
    assert render_pieces(Workspace(tmp_path)) == (
        "report      | Region | Revenue |\n"
        "            | A | 1.00 |\n"
        f"picture     {tmp_path}/chart.png"
    )


def test_the_next_commands_name_the_files_and_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/heliostat")
    assert render_next(Path("/d"), "anthropic") == (
        "Next (the files are in /d; each demo writes them anew):\n"
        "  heliostat run /d/sales.yaml --input @/d/sales.csv\n"
        "  HELIOSTAT_HOME=/d heliostat get executions\n"
        "  HELIOSTAT_HOME=/d heliostat describe agent sales\n"
        "  heliostat dev   the dashboard, in the browser"
    )
