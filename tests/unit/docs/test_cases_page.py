"""docs/cases.md names a test for each case, and every test that it names is there."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from tools.machine import ROOT

PAGE = (ROOT / "docs" / "cases.md").read_text()
HEAD = ["area", "symptom elsewhere", "here", "test"]
AREA = re.compile(r"gateway|security|operator|schedules|runner|api|ops")
REFERENCE = re.compile(r"\([^()]*(?:#| PR )\d+[^()]*\)")
NAMED = re.compile(r"`(tests/[\w./-]+\.py::[\w:]+)`")


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the page."""

    area: str
    symptom: str
    here: str
    test: str

    @property
    def tests(self) -> list[str]:
        return NAMED.findall(self.test)

    @property
    def waits(self) -> bool:
        """Whether it waits for a part of the product that is not built yet, and says which."""
        return re.match(r"later: .{10,}", self.test) is not None


def read_rows(page: str) -> list[list[str]]:
    """The cells of every row of every table below its two first lines."""
    lines = [(line.startswith("|"), line) for line in page.splitlines()]
    tables = [
        [[cell.strip() for cell in line.strip("|").split("|")] for _, line in lines]
        for is_table, lines in groupby(lines, key=lambda each: each[0])
        if is_table
    ]
    for table in tables:
        assert table[0] == HEAD, f"a table of {table[0]}"
    return [row for table in tables for row in table[2:]]


def read_cases(page: str) -> list[Case]:
    return [Case(*row) for row in read_rows(page)]


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of a file's tests; one in a class is `TestClass::test_name`."""

    def within(body: list[ast.stmt], prefix: str) -> Iterator[str]:
        for each in body:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                if each.name.startswith("test"):
                    yield f"{prefix}{each.name}"
            elif isinstance(each, ast.ClassDef):
                yield from within(each.body, f"{prefix}{each.name}::")

    file = ROOT / path
    return (
        frozenset(within(ast.parse(file.read_text()).body, "")) if file.is_file() else frozenset()
    )


def is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    return name in names_in(path)


def faults_of(case: Case) -> list[str]:
    """What is wrong with a row."""
    faults = []
    if not AREA.fullmatch(case.area):
        faults.append(f"{case.area!r} is no area")
    if not REFERENCE.search(case.symptom):
        faults.append("the symptom has no public reference in parentheses")
    if not case.here:
        faults.append("nothing says what happens here")
    if not case.tests and not case.waits:
        faults.append("no test is named, and nothing that it waits for")
    faults += [f"{each} does not exist" for each in case.tests if not is_there(each)]
    return faults


def test_every_case_is_whole_and_its_tests_exist() -> None:
    faulty = {each.symptom: faults for each in read_cases(PAGE) if (faults := faults_of(each))}
    assert faulty == {}


def test_a_row_that_names_no_test_or_one_that_is_gone_is_found() -> None:
    here = "tests/unit/docs/test_cases_page.py::test_every_case_is_whole_and_its_tests_exist"
    gone = f"{here}_today"
    assert faults_of(Case("api", "It hung (x#1)", "It ends.", f"`{here}`")) == []
    assert faults_of(Case("api", "It hung (x PR 1)", "It ends.", "later: with approvals")) == []
    assert faults_of(Case("api", "It hung (x#1)", "It ends.", f"`{here}`, `{gone}`")) == [
        f"{gone} does not exist"
    ]
    assert len(faults_of(Case("apis", "It hung", "", "later"))) == 4


def test_no_case_is_told_twice() -> None:
    symptoms = [each.symptom for each in read_cases(PAGE)]
    assert len(symptoms) == len(set(symptoms))
