"""Recorded output lands behind its commands, free of what only this machine has."""

import pytest

from tools import record
from tools.machine import ROOT

PAGE = """```sh
first
```
<!-- output:one -->
<!-- output:end -->
```sh
second
```
<!-- output:two -->
old
<!-- output:end -->
after
"""


def test_the_commands_are_those_before_the_mark() -> None:
    assert record.find_commands(PAGE, "one") == "first\n"
    assert record.find_commands(PAGE, "two") == "second\n"


def test_a_mark_without_commands_is_refused() -> None:
    with pytest.raises(ValueError, match="output:three"):
        record.find_commands(PAGE, "three")


def test_output_replaces_the_old_one_without_colours_and_paths() -> None:
    page = record.replace_output(PAGE, "two", f"\x1b[32mok\x1b[0m  \n{ROOT}/report.md\n")
    assert page.endswith(
        "<!-- output:two -->\n```text\nok\nreport.md\n```\n<!-- output:end -->\nafter\n"
    )
    assert page.startswith(PAGE.partition("<!-- output:two")[0])
