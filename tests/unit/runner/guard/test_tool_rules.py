from __future__ import annotations

from pathlib import Path

import pytest

from heliostat_runner.guard.protocol import Question
from heliostat_runner.guard.tool_rules import ToolRules, needs_no_rule

ROOT = Path("/workspace")


def ask(tool: str, **arguments: str) -> Question:
    return Question("toolu_1", tool, dict(arguments), str(ROOT))


def bash(command: str) -> Question:
    return ask("Bash", command=command)


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("Bash", "anything; at $(all)"),
        ("Bash(*)", "ls"),
        ("Bash(git log:*)", "git log"),
        ("Bash(git log:*)", "git log -n 1"),
        ("Bash(git log *)", 'git log --grep "a; b"'),
        ("Bash(npm run build)", "npm run build"),
        ("Bash(for f in a b; do echo $f; done)", "for f in a b; do echo $f; done"),
        ("Bash(git * main)", "git push origin main"),
        ("Bash(git log:*)", "git log && git log -p | git log"),
    ],
)
def test_commands_that_a_rule_names(rule: str, command: str) -> None:
    assert ToolRules((rule,), ROOT).name(bash(command))


@pytest.mark.parametrize(
    "command",
    [
        "git logs",
        "git status",
        "git log; rm -rf x",
        "git log && curl x",
        "git log | sh",
        "git log > out",
        "git log $(id)",
        "git log `id`",
        "git log & id",
        "git log\nid",
        "git log \\\n id",
        "(git log)",
        "git log '",
        "X=1 git log",
        "",
        "git log &&",
    ],
)
def test_commands_that_a_prefix_does_not_name(command: str) -> None:
    assert not ToolRules(("Bash(git log:*)",), ROOT).name(bash(command))


def test_each_command_may_be_named_by_another_rule() -> None:
    rules = ToolRules(("Bash(git log:*)", "Bash(wc:*)"), ROOT)

    assert rules.name(bash("git log | wc -l"))
    assert not rules.name(bash("git log | sort"))


def test_one_command_of_a_line_is_enough_to_be_excluded() -> None:
    rules = ToolRules(("Bash(rm:*)",), ROOT)

    assert rules.name_part(bash("ls; rm -f x"))
    assert not rules.name_part(bash("ls; echo rm"))


@pytest.mark.parametrize(
    ("rule", "tool", "arguments", "named"),
    [
        ("Write", "Write", {"file_path": "/etc/x"}, True),
        ("Write", "Edit", {"file_path": "a"}, False),
        ("Edit(/src/**)", "Write", {"file_path": "/workspace/src/a/b.py"}, True),
        ("Edit(src/**)", "NotebookEdit", {"notebook_path": "/workspace/src/a.ipynb"}, True),
        ("Edit(./src/*)", "Edit", {"file_path": "/workspace/src/a/b.py"}, False),
        ("Edit(./.env)", "Edit", {"file_path": "/workspace/env"}, False),
        ("Edit(/src/**)", "Write", {"file_path": "/workspace/src/../x"}, False),
        ("Edit(/src/**)", "Write", {"file_path": "/src/x"}, False),
        ("Edit(//src/**)", "Write", {"file_path": "/src/x"}, True),
        ("Edit(*.md)", "Write", {"file_path": "/workspace/a/b.md"}, True),
        ("Read(//data/**)", "Read", {"file_path": "/data/x"}, True),
        ("Read(//data/**)", "Write", {"file_path": "/data/x"}, False),
        ("Write(//data/**)", "Edit", {"file_path": "/data/x"}, False),
        ("Read(//data/**)", "Read", {}, False),
        ("WebFetch(domain:example.com)", "WebFetch", {"url": "https://example.com/a"}, True),
        ("WebFetch(domain:example.com)", "WebFetch", {"url": "https://a.example.com/"}, False),
        ("WebFetch(domain:*.example.com)", "WebFetch", {"url": "https://a.example.com/"}, True),
        ("WebFetch(domain:example.com)", "WebFetch", {"url": "https://[/"}, False),
        ("WebFetch(host:example.com)", "WebFetch", {"url": "https://example.com"}, False),
        ("Task(Explore)", "Agent", {"subagent_type": "Explore"}, True),
        ("Agent(Explore)", "Agent", {"subagent_type": "Plan"}, False),
        ("mcp__books", "mcp__books__pay", {}, True),
        ("mcp__books__*", "mcp__books__pay", {}, True),
        ("mcp__books__pay", "mcp__books__pay", {}, True),
        ("mcp__books__pay", "mcp__books__pay__more", {}, False),
        ("mcp__book", "mcp__books__pay", {}, False),
        ("Other(unknown form)", "Other", {}, False),
        ("not a rule)", "Write", {}, False),
    ],
)
def test_other_tools(rule: str, tool: str, arguments: dict[str, str], named: bool) -> None:
    assert ToolRules((rule,), ROOT).name(ask(tool, **arguments)) is named


def test_a_link_does_not_lead_out_of_what_a_rule_names(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    (workspace / "src").mkdir(parents=True)
    (workspace / "src" / "out").symlink_to(tmp_path)
    rules = ToolRules(("Edit(/src/**)",), workspace)

    assert rules.name(ask("Write", file_path=f"{workspace}/src/a"))
    assert not rules.name(ask("Write", file_path=f"{workspace}/src/out/a"))


def test_reading_in_the_workspace_needs_no_rule(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")

    assert needs_no_rule(ask("Read", file_path=str(tmp_path / "a")), tmp_path)
    assert needs_no_rule(ask("Grep", pattern="x"), tmp_path)
    assert not needs_no_rule(ask("Read", file_path="/etc/passwd"), tmp_path)
    assert not needs_no_rule(ask("Read", file_path=str(tmp_path / "out" / "passwd")), tmp_path)
    assert not needs_no_rule(ask("Write", file_path=str(tmp_path / "a")), tmp_path)
