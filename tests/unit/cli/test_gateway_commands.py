"""`heliostat gateway check` and `explain`: mistakes with lines, plans with reasons, never a key."""

import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from heliostat_cli.errors import UsageError
from heliostat_cli.main import app

GOOD = """\
models:
  fast:
    chain:
      - {provider: anthropic, model: claude-haiku-5-5}
      - {provider: gemini, model: gemini-3.8-flash}
    cache: {exact: true, ttlSeconds: 60}
aliases: {quick: fast}
personas:
  press: {system: Report., model: quick, defaults: {max_tokens: 100}}
rules: [{agents: [news/*], persona: press}]
"""
SECRET = "sk-SECRET"


@pytest.fixture
def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [each for each in os.environ if re.search("_API_KEY|^HELIOSTAT_GATEWAY", each)]:
        monkeypatch.delenv(name)
    path = tmp_path / "routes.yaml"
    path.write_text(GOOD)
    return path


def heliostat(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["gateway", *map(str, arguments)])


def test_a_good_file_is_said_to_be_good(routes: Path) -> None:
    told = heliostat("check", routes)
    assert (told.exit_code, told.output) == (
        0,
        "routes.yaml is good: 1 x model, 1 x alias, 1 x persona, 1 x rule\n",
    )


def test_the_file_of_the_settings_is_the_default(
    routes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(heliostat("check").exception, UsageError)
    monkeypatch.setenv("HELIOSTAT_GATEWAY_ROUTES_FILE", str(routes))
    assert heliostat("check").exit_code == 0


def test_all_mistakes_are_told_with_their_lines(routes: Path) -> None:
    routes.write_text(GOOD.replace("gemini,", "gemeni,").replace("quick: fast", "quick: quick"))
    told = heliostat("check", routes)
    assert told.exit_code == 2
    lines = told.output.splitlines()
    assert lines[0].startswith("routes.yaml:5: models.fast.chain[1].provider: no provider is")
    assert lines[1].startswith("routes.yaml:7: aliases.quick: leads back to itself")
    as_json = heliostat("check", routes, "--json")
    assert as_json.exit_code == 2
    found = json.loads(as_json.output)["mistakes"]
    assert [(each["line"], each["place"]) for each in found] == [
        (5, "models.fast.chain[1].provider"),
        (7, "aliases.quick"),
    ]


def test_the_plan_of_a_model_with_every_reason_and_no_key(
    routes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    told = heliostat("explain", "--model", "quick", "--agent", "news/daily", "--routes", routes)
    assert told.exit_code == 0
    assert SECRET not in told.output
    for words in (
        "agent      news/daily",
        "because    quick is an alias of fast",
        "rule 1 gives it the persona press",
        "persona    press: 7 characters of system prompt; defaults: max_tokens=100",
        "timeouts   first token 1800 s, idle 600 s, total 1800 s",
        "cache      exact, 60 s",
        "dropped    gemini/gemini-3.8-flash: no key: set GEMINI_API_KEY",
    ):
        assert words in told.output
    assert re.search(
        r"^1 +anthropic +claude-haiku-5-5 +ANTHROPIC_API_KEY +0\.1 +0\.5 +0\.01 +0\.125 +0\.2$",
        told.output,
        re.MULTILINE,
    )


def test_the_plan_for_programs(routes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", SECRET)
    told = heliostat("explain", "--model", "fast", "--routes", routes, "--json")
    assert SECRET not in told.output
    plan = json.loads(told.output)
    assert (plan["served"], plan["reason"], plan["cacheTtlSeconds"]) == (True, "Served", 60)
    assert [(each["provider"], each["credential"]) for each in plan["candidates"]] == [
        ("gemini", "GEMINI_API_KEY")
    ]
    assert plan["dropped"] == [
        {
            "provider": "anthropic",
            "model": "claude-haiku-5-5",
            "why": "no key: set ANTHROPIC_API_KEY",
        }
    ]


@pytest.mark.parametrize(
    ("model", "words"),
    [("fast", "No usable model provider: set ANTHROPIC_API_KEY"), ("x", "no price is known")],
)
def test_a_model_that_nobody_answers_ends_with_1(routes: Path, model: str, words: str) -> None:
    told = heliostat("explain", "--model", model, "--routes", routes)
    assert told.exit_code == 1
    assert words in told.output


def test_a_broken_file_is_told_with_all_its_mistakes(routes: Path) -> None:
    routes.write_text("modles: {}\naliases: {a: a}\n")
    error = heliostat("explain", "--model", "a", "--routes", routes).exception
    assert isinstance(error, UsageError)
    assert "routes.yaml:1: modles" in error.fact
    assert "routes.yaml:2: aliases.a" in error.fact
