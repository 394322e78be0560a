"""What documentation names exists, and its commands run."""

import re
from pathlib import Path

import pytest

from support.documents import (
    Script,
    copy_repository,
    find_scripts,
    read_scripts,
    run_script,
)
from tools import make_targets
from tools.machine import ROOT
from tools.record import END, SAYS_WHEN, content_of, find_commands, find_marks, find_pages

MAKE = re.compile(r"(?:^|`|&& )make ([a-z][a-z0-9-]*)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`[^`\n]+`")
SETTING = re.compile(r"\bHELIOSTAT_[A-Z0-9_]*[A-Z0-9]\b(?!_)")
PREFIX = re.compile(r"""env_prefix=["']([A-Z_]+)["']""")
COMPONENTS = (
    "policy",
    "core",
    "operator",
    "scripted",
    "gateway",
    "api",
    "workspace_image",
    "cli",
    "tools",
)


@pytest.mark.parametrize("page", find_pages(), ids=lambda page: page.name)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    assert set(MAKE.findall(page.read_text())) <= set(make_targets.read())


@pytest.mark.parametrize("page", find_pages(), ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = LINK.findall(CODE.sub("", page.read_text()))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", find_pages(), ids=lambda page: page.name)
def test_output_that_a_page_shows_is_recorded_or_says_when_it_was_taken(page: Path) -> None:
    """`make record` runs the commands before each mark, unless they run only by name: then the page
    says when that was, or that it was by hand."""
    text = page.read_text()
    marks = find_marks(text)
    assert len({mark.name for mark in marks}) == len(marks) == text.count(END)
    for mark in marks:
        assert find_commands(text, mark).strip()
        assert bool(SAYS_WHEN.search(content_of(text, mark))) is mark.only_named, mark


def test_output_that_the_readme_shows_is_marked() -> None:
    text = (ROOT / "README.md").read_text()
    shown = [content_of(text, mark).count("```text\n") for mark in find_marks(text)]
    assert shown == [1] * text.count("```text\n")


def test_every_page_is_listed_in_the_index() -> None:
    listed = set(LINK.findall((ROOT / "docs" / "README.md").read_text()))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages - listed == set(), "list them in docs/README.md"


def test_every_setting_in_the_code_is_documented() -> None:
    documented = set(SETTING.findall((ROOT / "docs" / "settings.md").read_text()))
    sources = [path for name in COMPONENTS for path in (ROOT / name).rglob("*.py")]
    used = {name for path in sources for name in SETTING.findall(path.read_text())}
    assert used - documented == set(), "name them in docs/settings.md"


def test_every_class_of_settings_has_its_table() -> None:
    documented = SETTING.findall((ROOT / "docs" / "settings.md").read_text())
    sources = [path for name in COMPONENTS for path in (ROOT / name).rglob("*.py")]
    prefixes = {name for path in sources for name in PREFIX.findall(path.read_text())}
    assert [
        each for each in prefixes if not any(name.startswith(each) for name in documented)
    ] == []


@pytest.mark.parametrize("script", find_scripts("unit"), ids=str)
def test_a_pages_commands_run(script: Script, tmp_path: Path) -> None:
    copy_repository(tmp_path)
    run_script(script, tmp_path, 60, {})


def test_blocks_of_a_level_are_joined_in_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh run=unit\na\n```\ntext\n```sh\nno\n```\n```sh run=unit\nb\n```\n")
    assert [script.text for script in read_scripts(page)] == ["a\nb\n"]


def test_a_level_that_nobody_runs_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh run=never\na\n```\n")
    with pytest.raises(ValueError, match="run=never must be one of"):
        read_scripts(page)


def test_a_failing_command_in_the_middle_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run_script(Script(ROOT / "README.md", "unit", "false\ntrue\n"), tmp_path, 10, {})
