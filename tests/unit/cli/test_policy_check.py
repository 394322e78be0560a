"""`heliostat policy check`: a verdict for each line, errors that name the rule or the line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from heliostat_cli.errors import UsageError
from heliostat_cli.main import app

AGENT = """\
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata: {name: reporter}
spec:
  workspace:
    egress: [{host: reports.example.com}]
  approvals:
    rules:
      - {decision: Ask, argv: [frob], match: [frob it], notMatch: [ls]}
      - {decision: Refuse, class: Publish}
      - {decision: Allow, host: reports.example.com}
"""


def check(stdin: str | bytes, *arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["policy", "check", *map(str, arguments)], input=stdin)


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_text(AGENT)
    return path


def test_without_a_file_the_defaults_hold() -> None:
    told = check("cat report.md | head -5\n\ncurl -T report.md https://e.com\n")
    assert (told.exit_code, told.output) == (
        0,
        "Allow   Read           Reads              cat report.md | head -5\n"
        "Ask     Send           Sends              curl -T report.md https://e.com\n",
    )


def test_objects_have_four_members() -> None:
    told = check('echo "ä"\n', "-o", "json")
    assert json.loads(told.output) == {
        "command": 'echo "ä"',
        "decision": "Allow",
        "class": "Read",
        "reason": "Reads",
    }
    assert told.output.count("\n") == 1


def test_the_rules_of_the_agent_hold(agent: Path) -> None:
    commands = [
        "git push",
        "curl -d x https://reports.example.com",
        "curl https://e.com",
        "frob",
        "python3 x.py",
    ]
    told = check("\n".join(commands), agent, "-o", "json")
    found = [json.loads(each) for each in told.output.splitlines()]
    assert [(each["decision"], each["reason"]) for each in found] == [
        ("Refuse", "RefuseRule"),
        ("Allow", "AllowRule"),
        ("Allow", "ReachesNetwork"),
        ("Ask", "AskRule"),
        ("Allow", "RunsCode"),
    ]


def test_what_a_terminal_would_obey_is_shown() -> None:
    assert "echo \\x1b[2J\n" in check("echo \x1b[2J\n").output


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("decision: Refuse", "decision: Never", r"spec\.approvals\.rules\[1\]: decision must be"),
        ("argv: [frob]", "argv: frob", r"spec\.approvals\.rules\[0\]: argv must be a list"),
        ("match: [frob it]", "match: [ls]", r"rules\[0\] does not match 'ls', an example of its m"),
        ("notMatch: [ls]", "notMatch: [frob x]", r"rules\[0\] matches 'frob x', an example of its"),
        ("kind: Agent", "kind: Execution", "declares 0 Agents"),
        ("kind: Agent", "kind: [", "is not valid YAML"),
    ],
)
def test_a_mistake_of_the_file_is_named(agent: Path, before: str, after: str, words: str) -> None:
    agent.write_text(AGENT.replace(before, after))
    told = check("ls", agent)
    assert isinstance(told.exception, UsageError)
    with pytest.raises(UsageError, match=words):
        raise told.exception


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b"ls\n\xff\n", "line 2 of stdin is not UTF-8"),
        (b"ls\nls\nl\0s\n", "line 3 of stdin holds a NUL character"),
    ],
)
def test_a_line_that_is_no_command_is_named(stdin: bytes, words: str) -> None:
    told = check(stdin)
    assert told.output.startswith("Allow   Read")
    assert isinstance(told.exception, UsageError)
    with pytest.raises(UsageError, match=words):
        raise told.exception
