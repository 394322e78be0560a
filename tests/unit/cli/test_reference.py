"""docs/cli.md says what the program says."""

from support.manifests import ROOT
from tools.command_reference import build_reference
from tools.sections import replace_section


def test_the_reference_is_that_of_the_program() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    assert replace_section(page, "commands", build_reference()) == page, "run `make generate`"
