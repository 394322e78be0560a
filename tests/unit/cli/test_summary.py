"""The end of a run."""

from pathlib import Path

from heliostat_cli.steps import Narrator
from heliostat_cli.summary import Workspace, render_summary
from heliostat_core.executions import Execution


def test_a_success_tells_what_it_made_and_what_it_took(succeeded: Execution) -> None:
    narrator = Narrator(steps=3, tools={"Write": 2, "Bash": 1})
    workspace = Workspace(Path("/pods/1"), ("a.py", "report.md"))
    assert render_summary(succeeded, narrator, workspace) == (
        "execution   sales-1: Succeeded (Verified)\n"
        "because     Verified by check.\n"
        "result      24 sales.\n"
        "            Most in West.\n"
        "files       a.py, report.md\n"
        "steps       3 (Write 2, Bash 1)\n"
        "attempts    1, running for 12s\n"
        "tokens      47,380 (1,650 input, 1,560 output, 32,160 cache read, 12,010 cache write)"
        " in 4 model calls\n"
        "cost        $0.104282\n"
        "workspace   /pods/1\n"
        "transcript  /pods/1/.heliostat/transcript-1.jsonl"
    )


def test_a_failure_tells_the_remedy_and_that_money_may_come(refused: Execution) -> None:
    lines = render_summary(refused, Narrator()).splitlines()
    assert lines[0] == "execution   sales-1: Failed (VerificationFailed)"
    assert "cost        $0.104282 so far: not every model call is booked yet" in lines
    assert "transcript  heliostat logs sales-1" in lines
    assert lines[-1].startswith("remedy      the work was refused, not lost:")
