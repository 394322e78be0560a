"""Which faults are made, which sixty are drawn, which tests are asked, and how one is tried."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.machine import ROOT
from tools.mutants.areas import UnknownAreaError, find_area
from tools.mutants.coverage_map import CoverageMap, Kept, is_current
from tools.mutants.equal import (
    Equal,
    EqualListError,
    find_outdated,
    key_of,
    read_equal,
    without_equal,
)
from tools.mutants.places import Mutation, find_places
from tools.mutants.report import format_summary, format_verdict, percent_killed
from tools.mutants.sampling import sample
from tools.mutants.selection import Mentions, choose_tests
from tools.mutants.source import Source
from tools.mutants.trials import Outcome, Verdict, build_trial

MODULE = "heliostat_core.ages"
PATH = "core/heliostat_core/ages.py"


def source_of(text: str) -> Source:
    return Source(MODULE, PATH, text)


def faults_of(text: str) -> list[list[str]]:
    """How the line reads after each fault, by place."""
    return [[each.becomes for each in place] for place in find_places(source_of(text))]


def only(text: str) -> Mutation:
    ((mutation, *_), *_) = find_places(source_of(text))
    return mutation


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("a = b < c", [["a = b <= c", "a = b >= c"]]),
        ("a = b == c", [["a = b != c"]]),
        ("a = b is not c", [["a = b is c"]]),
        ("a = b  not  in c", [["a = b  in c"]]),
        ("a = b < c == d", [["a = b <= c == d", "a = b >= c == d"], ["a = b < c != d"]]),
        ("a = b and c and d", [["a = b or c or d"]]),
        ("a = (b or c)", [["a = (b and c)"]]),
        ("a = not b", [["a = (b)"]]),
        ("a = b // c", [["a = b * c"]]),
        ("a = -b", [["a = (b)"]]),
        ("a += b", [["a -= b", "pass"]]),
        ("a.b = c", [["pass"]]),
        ("a[b] = c", [["pass"]]),
        ("a(b)", [["pass"]]),
        ("del a", [["pass"]]),
        ("a = 7", [["a = 8", "a = 6"]]),
        ("a = 0", [["a = 1", "a = (-1)"]]),
        ("a = True", [["a = False"]]),
        ("a = 'of-a-protocol'", [["a = 'XXof-a-protocolXX'"]]),
        ("a = b if c else d", [["a = b if (not (c)) else d"]]),
        ("a = [b for b in c if b.d]", [["a = [b for b in c if (not (b.d))]"]]),
        ("raise a", [["pass"]]),
        ("assert a", [["assert (not (a))"]]),
        ("a = '가' == b", [["a = '가' != b"]]),
    ],
)  # fmt: skip
def test_faults_of_a_line(line: str, faults: list[list[str]]) -> None:
    assert faults_of(line) == faults


@pytest.mark.parametrize(
    "text",
    [
        '"""What the module is for."""',
        "import a",
        "a: int | None",
        "def f(a: 'str' = b) -> 'int': ...",
        "a = 'A sentence for people'",
        "a = '사람'",
        "a = f'{b + 1}'",
        "_LOG.warning('gone', 7)",
        "logger.info('gone')",
        "a = Literal['b']",
        "a = TypeVar('a')",
        "_LOG = logging.getLogger('heliostat')",
        "__all__ = ['a']",
        "A = B | None",
        "if __name__ == '__main__':\n    main()",
        "if TYPE_CHECKING:\n    a = 1",
        "@dataclass(frozen=True)\nclass A: ...",
        "a = Field(description='word')",
    ],
)
def test_no_fault_is_made_where_only_people_or_checkers_read(text: str) -> None:
    assert faults_of(text) == []


def test_a_loop_and_its_jumps() -> None:
    text = "while a:\n    break\nfor b in c:\n    continue\n"
    assert faults_of(text) == [["while (not (a)):"], ["continue"], ["break"]]


def test_a_value_is_returned_no_more_and_an_early_return_goes() -> None:
    text = "def f():\n    if a.b:\n        return\n    return c\n"
    assert faults_of(text) == [["if (not (a.b)):"], ["pass"], ["return None"]]


def test_an_error_keeps_its_words() -> None:
    assert faults_of("raise Gone('Word', 3)") == [
        ["pass"],
        ["raise Gone('Word', 4)", "raise Gone('Word', 2)"],
    ]


def test_cases_of_a_match() -> None:
    text = "match a:\n    case 'b' if c.d:\n        e()\n"
    assert faults_of(text) == [
        ["case 'XXbXX' if c.d:"],
        ["case 'b' if (not (c.d)):"],
        ["pass"],
    ]


def test_an_operator_in_a_comment_is_not_taken_for_it() -> None:
    assert faults_of("a = (\n    b  # < not this\n    < c\n)") == [["<= c", ">= c"]]


def test_a_statement_of_several_lines_goes_as_a_whole() -> None:
    mutation = only("f(\n    a,\n)\nb = c\n")
    assert mutation.text == "pass\nb = c\n"


def test_a_place_knows_its_function_and_whether_it_runs_at_import() -> None:
    text = (
        "A = 1\nclass B:\n    c = 2\n    @property\n"
        "    def d(self, e=3):\n        return self.f + 4\n"
    )
    found = [
        (each[0].line, each[0].scope.function, each[0].scope.is_at_import, set(each[0].scope.top))
        for each in find_places(source_of(text))
    ]
    assert found == [
        ("A = 1", "", True, {"A"}),
        ("c = 2", "B", True, {"B"}),
        ("def d(self, e=3):", "B.d", True, {"B"}),
        ("return self.f + 4", "B.d", False, {"B"}),
        ("return self.f + 4", "B.d", False, {"B"}),
        ("return self.f + 4", "B.d", False, {"B"}),
    ]


@pytest.mark.parametrize("area", ["core/schedules", "operator/runs", "gateway/money", "runner"])
def test_every_fault_of_our_code_is_another_program(area: str) -> None:
    """Some of each module: reading all takes a minute."""
    for source in find_area(area):
        before = ast.dump(source.tree)
        for mutation in sample(find_places(source), "any", 5):
            assert ast.dump(ast.parse(mutation.text)) != before, mutation.place


def test_an_area_is_a_distribution_a_folder_or_a_module() -> None:
    assert [source.module for source in find_area("operator/runs/retries")] == [
        "heliostat_operator.runs.retries"
    ]
    assert find_area("runner")[0].path.startswith("workspace_image/heliostat_runner/")
    assert find_area("core/heliostat_google") == find_area("google")
    assert {source.module.split(".")[0] for source in find_area("core")} == {"heliostat_core"}
    with pytest.raises(UnknownAreaError, match="gateway/mony"):
        find_area("gateway/mony")


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    places = find_places(source_of("\n".join(f"a{number} = {number}" for number in range(500))))
    drawn = [sample(places, seed) for seed in ("1", "1", "2")]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert len({mutation.number for mutation in drawn[0]}) == 60


def test_all_are_drawn_where_there_are_few() -> None:
    assert len(sample(find_places(source_of("a = 1\nb = 2")), "1")) == 2


def equal_list(folder: Path, *entries: str) -> Path:
    path = folder / "equal.toml"
    path.write_text("".join(f"[[equal]]\n{entry}\n" for entry in entries))
    return path


ENTRY = (
    'module = "heliostat_core.ages"\nfunction = "f"\n'
    'line = "return a < b"\nbecomes = "return a <= b"\n'
)
FUNCTION = "def f():\n    return a < b\n"


def test_an_equal_fault_is_not_drawn_and_the_others_of_its_place_are(tmp_path: Path) -> None:
    equal = read_equal(equal_list(tmp_path, ENTRY + 'why = "a is never b"'))
    places = without_equal(find_places(source_of(FUNCTION)), equal)
    assert [[each.becomes for each in place] for place in places] == [
        ["return None"],
        ["return a >= b"],
    ]


def test_a_place_goes_when_all_its_faults_are_equal() -> None:
    places = find_places(source_of("a = b == c"))
    assert without_equal(places, frozenset({key_of(places[0][0])})) == []


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([ENTRY], "no `why`"),
        ([ENTRY + 'why = " "'], "no `why`"),
        ([ENTRY + 'why = "x"', ENTRY + 'why = "y"'], "twice"),
    ],
)
def test_an_entry_has_one_reason(tmp_path: Path, entries: list[str], words: str) -> None:
    with pytest.raises(EqualListError, match=words):
        read_equal(equal_list(tmp_path, *entries))


def test_an_entry_that_matches_nothing_is_outdated(tmp_path: Path) -> None:
    module = tmp_path / PATH
    module.parent.mkdir(parents=True)
    module.write_text(f"# a line above\n{FUNCTION}")
    right = Equal(MODULE, "f", "return a < b", "return a <= b")
    other_line = Equal(MODULE, "f", "return a < c", "return a <= c")
    other_module = Equal("heliostat_core.gone", "f", "return a < b", "return a <= b")
    assert find_outdated([right, other_line, other_module], tmp_path) == [other_line, other_module]


def test_our_list_of_equal_faults_is_up_to_date() -> None:
    assert find_outdated(read_equal()) == []


def passed_by(**lines: list[int]) -> CoverageMap:
    """What each test passes of the module."""
    passed = CoverageMap()
    for name, numbers in lines.items():
        test = f"tests/unit/test_{name}.py::test_it"
        passed.add({test: 1.0}, {test: {PATH: numbers}})
    return passed


def names_of(tests: frozenset[str]) -> set[str]:
    return {test.removeprefix("tests/unit/test_").removesuffix(".py::test_it") for test in tests}


def test_a_fault_in_a_function_is_tried_by_the_tests_that_pass_its_statement() -> None:
    text = "def f():\n    if (\n        a\n        or b\n    ):\n        c()\n"
    first, second = (place[0] for place in find_places(source_of(text))[1:])
    passed = passed_by(condition=[2, 3], both=[2, 3, 4, 6], other=[9])
    assert names_of(choose_tests(first, passed, Mentions())) == {"condition", "both"}
    assert names_of(choose_tests(second, passed, Mentions())) == {"both"}


def test_a_fault_that_no_test_passes_has_no_tests() -> None:
    mutation = only("def f():\n    a()\n")
    assert choose_tests(mutation, passed_by(other=[9]), Mentions()) == frozenset()


def test_a_constant_is_tried_by_who_passes_code_that_mentions_it_or_what_is_made_of_it() -> None:
    text = "A = 1\nB = (A, 2)\ndef f():\n    return B\ndef g():\n    return A\n"
    mentions = Mentions()
    mentions.add_module(PATH, ast.parse(text))
    mentions.add_test_file("tests/unit/test_import.py", ast.parse("from ages import A"))
    passed = passed_by(f=[4], g=[6], imports=[], other=[1])
    passed.add({"tests/unit/test_import.py::test_it": 1.0}, {})
    of_a, of_b = (find_places(source_of(text))[number][0] for number in (0, 1))
    assert names_of(choose_tests(of_a, passed, mentions)) == {"f", "g", "import", "other"}
    assert names_of(choose_tests(of_b, passed, mentions)) == {"f"}


def test_a_record_is_good_until_its_tests_or_a_module_that_they_pass_change() -> None:
    kept: Kept = {"hashes": {"test_a.py": "1", "a.py": "2"}, "seconds": {}, "lines": {}}
    now = {"test_a.py": "1", "a.py": "2", "b.py": "3"}
    assert is_current(kept, now)
    assert is_current(kept, now | {"b.py": "4"})
    assert not is_current(kept, now | {"a.py": "4"})
    assert not is_current(kept, now | {"test_a.py": "4"})
    assert not is_current(kept, {"test_a.py": "1"})
    assert not is_current(None, now)


def test_the_quickest_files_are_tried_first_and_only_what_passes_the_line() -> None:
    passed = CoverageMap()
    for test, seconds in {"slow.py::a": 9.0, "slow.py::b": 0.1, "quick.py::a": 1.0}.items():
        passed.add({test: seconds}, {})
    trial = build_trial(only("a = 1"), frozenset({"slow.py::a", "quick.py::a"}), passed)
    assert trial.files == ("quick.py", "slow.py")
    assert trial.skipped == {"slow.py::b"}
    assert (trial.module, trial.text, trial.seconds) == (MODULE, "a = 2", 10.0)


def test_a_line_that_no_test_passes_counts_as_survived() -> None:
    mutation = only("def f():\n    a = b < c\n")
    verdicts = [
        Verdict(mutation, Outcome.KILLED, "tests/unit/test_f.py::test_it", 3),
        Verdict(mutation, Outcome.SURVIVED, "", 3),
        Verdict(mutation, Outcome.NOT_COVERED),
    ]
    assert percent_killed(verdicts) == pytest.approx(33.3, abs=0.1)
    assert [format_verdict(verdict) for verdict in verdicts] == [
        f"killed by tests/unit/test_f.py::test_it  {PATH}:2 f",
        f"survived 3 tests  {PATH}:2 f\n  - a = b < c\n  + a = b <= c",
        f"not covered  {PATH}:2 f\n  - a = b < c\n  + a = b <= c",
    ]
    assert format_summary(verdicts, "core", "7", 900) == (
        "AREA=core SEED=7: 3 of 900 places: 1 killed, 1 survived, 1 not covered; "
        "33.3 % killed, 85 % are enough"
    )


TRIAL = """
import sys
import hypothesis, pytest_asyncio  # once for all
from pathlib import Path
from tools.mutants import trials
from tools.mutants.coverage_map import CoverageMap
from tools.mutants.places import find_places
from tools.mutants.source import Source

module, path, test = sys.argv[1:]
trials.START_SECONDS = 20.0
passed = CoverageMap()
passed.add({test: 0.0}, {})
places = find_places(Source(module, path, Path(path).read_text()))
chosen = [(place[0], frozenset({test})) for place in places]
trials.control(chosen, passed)
for verdict in trials.run(chosen, passed):
    print(verdict.mutation.becomes, "|", verdict.outcome, verdict.by.rpartition("::")[2])
"""


def test_a_module_is_replaced_in_a_process_of_its_own_and_the_file_stays(tmp_path: Path) -> None:
    text = "def larger(a, b):\n    return a if a > b else b\n\n\nSIZE = 3\n"
    (tmp_path / "sizes.py").write_text(text)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n")
    (tmp_path / "test_sizes.py").write_text(
        "from sizes import larger\n\n\ndef test_larger():\n    assert larger(1, 2) == 2\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", TRIAL, "sizes", "sizes.py", "test_sizes.py::test_larger"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert sorted(done.stdout.splitlines()) == [
        "SIZE = 4 | survived ",
        "return None | killed test_larger",
        "return a if a >= b else b | survived ",
    ]
    assert (tmp_path / "sizes.py").read_text() == text
