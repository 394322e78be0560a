"""Recorded output lands behind its commands, free of what only this machine has."""

from datetime import date

import pytest

from tools import record
from tools.machine import ROOT
from tools.record import SAYS_WHEN, Mark

PAGE = """```sh
first
```
<!-- output:one -->
<!-- output:end -->
```sh
second
```
<!-- output:two keep=passed when=named -->
old
<!-- output:end -->
after
"""
ONE = Mark("one", "<!-- output:one -->")
TWO = Mark("two", "<!-- output:two keep=passed when=named -->", "passed", only_named=True)


def test_the_marks_of_a_page_say_what_they_keep_and_whether_they_must_be_named() -> None:
    assert record.find_marks(PAGE) == [ONE, TWO]


@pytest.mark.parametrize("word", ["when=never", "keeps=x", "when=named again=1"])
def test_a_word_that_no_mark_has_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="keep=WORD and when=named"):
        record.find_marks(f"<!-- output:one {word} -->\n")


def test_what_must_be_named_does_not_run_by_itself() -> None:
    assert record.choose([ONE, TWO], []) == [ONE]
    assert record.choose([ONE, TWO], ["two"]) == [TWO]


def test_a_name_that_no_page_has_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main("nothing-of-this-name") == 2
    assert "no page has a mark output:nothing-of-this-name" in capsys.readouterr().err


def test_the_commands_are_those_before_the_mark() -> None:
    assert record.find_commands(PAGE, ONE) == "first\n"
    assert record.find_commands(PAGE, TWO) == "second\n"


@pytest.mark.parametrize(
    "page",
    [
        PAGE.replace("one", "other"),
        f"{ONE.line}\n<!-- output:end -->\n",
        f"```sh\nfirst\n```\ntext\n{ONE.line}\n<!-- output:end -->\n",
        f"```sh\nfirst\n```\n```yaml\na: b\n```\n{ONE.line}\n<!-- output:end -->\n",
        f"```sh\nfirst\n```\n{ONE.line}\n",
    ],
    ids=["no mark", "no commands", "text between", "another block", "no end"],
)
def test_a_mark_without_commands_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="output:one"):
        record.find_commands(page, ONE)


def test_output_replaces_the_old_one_without_colours_and_paths() -> None:
    output = f"\x1b[32mok\x1b[0m  \n{ROOT}/report.md\n/nowhere/x/.local/state\n"
    page = record.replace_output(PAGE, ONE, output, "/nowhere/x")
    assert page.startswith(
        "```sh\nfirst\n```\n<!-- output:one -->\n"
        "```text\nok\nreport.md\n~/.local/state\n```\n<!-- output:end -->\n"
    )
    assert page.endswith(PAGE.partition("<!-- output:end -->\n")[2])


def test_only_the_lines_that_are_kept_are_shown_and_the_page_says_when() -> None:
    says = record.when_recorded(date(2026, 11, 25), "0a1b2c3d")
    assert SAYS_WHEN.fullmatch(says)
    page = record.replace_output(PAGE, TWO, "...\n3 passed\n\n4 passed\n", "/nowhere/x", says)
    assert record.content_of(page, TWO) == f"```text\n3 passed\n4 passed\n```\n{says}\n"
    assert page.endswith("<!-- output:end -->\nafter\n")


def test_commands_run_as_in_a_terminal_of_their_own() -> None:
    names = ["XDG_STATE_HOME", "HELIOSTAT_HOME", "MAKELEVEL", "MAKEFLAGS", "MFLAGS", "PATH"]
    assert [name for name in names if record.is_kept(name)] == ["PATH"]
