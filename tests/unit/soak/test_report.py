"""The page of a soak."""

import re
from datetime import date
from pathlib import Path

import pytest

from soak.course import Options, Record
from soak.judge import FAULTS, Finding
from soak.programs import Use
from soak.report import build_table, write_table
from soak.trial import Verdict
from tools.machine import ROOT

DAY = date(2026, 11, 22)
COMMIT = "0a1b2c3d"
TAKEN = re.compile(r"<!-- soak:\w+ -->\nTaken on \d{4}-\d\d-\d\d at commit [0-9a-f]{8,12}\b.*:\n")


def make_verdict(
    *findings: Finding, runs: int = 100, made: int = 1, measured: bool = True
) -> Verdict:
    names = {f"steady-{number + 1}" for number in range(made)}
    record = Record(Options(runs=runs), made=names, seconds=10)
    for done in (runs // 5, runs) if measured else ():
        record.meter.add(done, Use(1, 0, 100 << 20, cpu=2))
    record.restarts["node"] = 3
    return Verdict(record, spoken=7, done={"evicted": 2}, findings=list(findings))


def test_every_figure_stands_in_the_table() -> None:
    table = build_table(make_verdict(Finding("double", "steady-1", "")), DAY, COMMIT)
    for line in (
        "Taken on 2026-11-22 at commit 0a1b2c3d:",
        "| runs | 1 of 100 |",
        "| model calls with the runs' own keys | 7 |",
        "| node: lost with all of its pods | 3 |",
        "| **double** | 1 |",
        "| **stuck** | 0 |",
        "(x 1.000, at most x 1.1; one process) |",
    ):
        assert line in table
    assert [fault for fault in FAULTS if f"| **{fault}** |" not in table] == []


def test_every_table_of_the_page_says_of_which_commit_it_is() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    assert len(TAKEN.findall(page)) == page.count("<!-- soak:end -->") == 2


def test_a_table_replaces_the_one_before_it_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n<!-- soak:played -->\nold\n<!-- soak:end -->\nb\n<!-- soak:end -->\n")
    write_table(page, "played", "new")
    write_table(page, "played", "newer")
    assert page.read_text() == (
        "# A\n<!-- soak:played -->\nnewer\n<!-- soak:end -->\nb\n<!-- soak:end -->\n"
    )


@pytest.mark.parametrize(("fault", "good"), [("stuck", False), ("twin", True)])
def test_a_twin_fails_nothing(fault: str, good: bool) -> None:
    finding = next(Finding(each, "steady-1", "") for each in FAULTS if each == fault)
    assert make_verdict(finding, made=100).is_good is good


@pytest.mark.parametrize(("runs", "good"), [(999, True), (1000, False)])
def test_memory_that_nobody_measured_has_not_been_kept(runs: int, good: bool) -> None:
    verdict = make_verdict(runs=runs, made=runs, measured=False)
    assert verdict.is_good is good
    assert ("| not measured |" in build_table(verdict, DAY, COMMIT)) is not good
    assert make_verdict(runs=runs, made=runs).is_good


def test_who_ran_out_of_time_has_not_shown_it() -> None:
    assert make_verdict(made=100).is_good
    assert not make_verdict(made=99).is_good
