"""Manifests are refused with the field's name and the remedy."""

from pathlib import Path

import pytest

from heliostat_cli.errors import UsageError
from heliostat_cli.manifests import read_manifest, run_parts
from heliostat_core.worlds import AGENT

AGENT_TEXT = """
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata: {name: sales}
spec:
  prompt: Report.
"""
EXECUTION_TEXT = """
---
apiVersion: heliostat.dev/v1alpha1
kind: Execution
metadata: {name: one}
spec:
  agentRef: {name: sales}
  deadlineTime: 2026-08-20T16:00:00Z
"""


def refusal(path: Path, content: str) -> tuple[str, str]:
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        run_parts(read_manifest(path))
    return caught.value.fact.removeprefix(f"{path}").removeprefix(": "), caught.value.remedy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.yaml"


def test_a_file_with_an_agent_and_an_execution_is_read(path: Path) -> None:
    path.write_text(AGENT_TEXT + EXECUTION_TEXT)
    agent, execution = run_parts(read_manifest(path))
    assert agent["metadata"] == {"name": "sales"}
    assert execution is not None
    assert execution["spec"] == {
        "agentRef": {"name": "sales"},
        "deadlineTime": "2026-08-20T16:00:00Z",
    }
    assert len(read_manifest(path).of(AGENT)) == 1


@pytest.mark.parametrize(
    ("content", "fact", "remedy"),
    [
        (
            AGENT_TEXT.replace("prompt", "promt"),
            "Agent 'sales': unknown field spec.promt",
            "Did you mean spec.prompt?",
        ),
        (
            AGENT_TEXT + "  verify: {zzz: 1}\n",
            "Agent 'sales': unknown field spec.verify.zzz",
            "spec.verify may have: command, files.",
        ),
        (
            AGENT_TEXT + "  limits: {maxTurns: many}\n",
            'Agent.heliostat.dev "sales" is invalid: spec.limits.maxTurns: Invalid value: '
            '"string": spec.limits.maxTurns in body must be of type integer: "string"',
            "Fix the named field.",
        ),
        (
            AGENT_TEXT + "  verify: {}\n",
            'Agent.heliostat.dev "sales" is invalid: spec.verify: Invalid value: "object": '
            "must set exactly one of command and files",
            "Fix the named field.",
        ),
        (
            AGENT_TEXT.replace("Agent", "Robot"),
            "kind 'Robot' of 'heliostat.dev/v1alpha1' is not known",
            "Set apiVersion: heliostat.dev/v1alpha1 and kind: Agent or Execution.",
        ),
        (
            AGENT_TEXT + EXECUTION_TEXT.replace("name: sales", "name: other"),
            "spec.agentRef.name of the Execution is 'other', which is not the Agent of the file",
            "Set it to 'sales'.",
        ),
        ("- 1", " contains a document that is not a mapping", "See docs/cli.md."),
        ("", " declares nothing", "Write an Agent: see docs/cli.md."),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    path: Path, content: str, fact: str, remedy: str
) -> None:
    assert refusal(path, content) == (fact, remedy)


def test_what_is_no_yaml_says_where(path: Path) -> None:
    fact, _ = refusal(path, "a: [1\nb: 2")
    assert fact.startswith(" is not valid YAML:")
    assert "line 2" in fact


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml can't be read: No such file"):
        read_manifest(tmp_path / "none.yaml")
