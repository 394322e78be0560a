"""The demo's two agents: one check for both, one prompt for both providers."""

from pathlib import Path

import pytest
import yaml

from heliostat_cli.demo.acts import ACTS, check_provider, lay_out, read_agent
from heliostat_cli.errors import UsageError
from heliostat_core.reading import text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lay_out(tmp_path)
    return tmp_path


def test_both_agents_are_checked_alike(folder: Path) -> None:
    checks = {
        tuple(yaml.safe_load((folder / act.file).read_text())["spec"]["verify"]["command"])
        for act in ACTS
    }
    assert len(checks) == 1


def test_the_real_model_gets_the_same_prompt(folder: Path) -> None:
    scripted = read_agent(folder / "sales.yaml", "scripted")
    real = read_agent(folder / "sales.yaml", "anthropic")
    assert text(scripted, "spec", "model", "name") == "scripted/demo"
    assert text(real, "spec", "model", "name") == "claude-sonnet-5-5"
    assert text(scripted, "spec", "prompt") == text(real, "spec", "prompt")


def test_the_real_model_needs_a_key() -> None:
    check_provider("anthropic", {"ANTHROPIC_API_KEY": "sk"})
    with pytest.raises(UsageError, match="needs ANTHROPIC_API_KEY, and it is not set"):
        check_provider("anthropic", {})
    with pytest.raises(UsageError, match="--provider 'openai' is not known"):
        check_provider("openai", {})
