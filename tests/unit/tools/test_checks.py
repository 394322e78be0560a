"""`.ci/run`: which stages run side by side, what is said at the end, what is left behind."""

import subprocess
import sys

from tools.checks.stages import STAGES, Stage, find_ready
from tools.checks.summary import Result, format_summary
from tools.machine import ROOT


def test_a_stage_starts_once_what_it_waits_for_has_ended() -> None:
    stages = (Stage("a", ""), Stage("b", "", ("a",)), Stage("c", "", ("a", "b")))
    assert [each.name for each in find_ready(stages, (), {})] == ["a"]
    assert [each.name for each in find_ready(stages, ("a",), {})] == []
    assert [each.name for each in find_ready(stages, ("a",), {"a": "FAILED"})] == ["b"]


def test_every_stage_waits_for_earlier_ones_only_so_that_all_of_them_run() -> None:
    for number, stage in enumerate(STAGES):
        assert set(stage.after) <= {each.name for each in STAGES[:number]}


def test_every_level_of_tests_that_make_test_runs_is_a_stage() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (levels,) = [line for line in makefile.splitlines() if line.startswith("test: ")]
    for target in levels.partition("##")[0].split()[1:]:
        assert any(stage.command.endswith(f"make {target}") for stage in STAGES), target


def test_work_of_no_stage_is_the_clusters_and_the_whole_is_counted_in_two_core_minutes() -> None:
    results = [Result("unit", "ok", 51.2, 90), Result("e2e", "FAILED", 700, 130)]
    assert format_summary(results, 780, 240).splitlines() == [
        "unit         ok         51 s     90 CPU s",
        "e2e          FAILED    700 s    130 CPU s",
        "cluster                          20 CPU s",
        "total: 13.0 minutes of wall time, 2.0 two-core minutes of work",
    ]


def test_what_a_stage_leaves_running_is_counted_and_ended() -> None:
    program = """
import os, sys, tempfile
from tools.checks import processes

processes.adopt_orphans()
with tempfile.TemporaryFile() as output:
    busy = "import time; all(time.process_time() < 0.1 for _ in iter(int, 1))"
    command = f"setsid sleep 600 & '{sys.executable}' -c '{busy}'"
    stage = processes.start(command, output, os.environ)
    ended = processes.wait_for_any()
    stage.returncode = ended.status
assert (ended.pid, ended.status) == (stage.pid, 0)
assert 0.1 <= ended.cpu_seconds <= processes.count_cpu_seconds()
print(processes.end_children(), processes.find_children())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("{'sleep'} {}\n", "")
