"""The demo's agents without Claude Code: their program and their check, on any sales."""

import os
import re
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from heliostat_cli.demo.acts import lay_out, read_agent
from heliostat_core.reading import part, text, texts
from heliostat_core.worlds import JsonObject
from heliostat_scripted.scenario import read_scenario

HEADER = "date,region,product,units,unit_price"
OTHER_SALES = "\n".join(
    [HEADER, *(f"2025-03-{day:02d},Région {day % 3},Lamp,{day},0.07" for day in range(1, 20))]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lay_out(tmp_path)
    return tmp_path


def work(agent: JsonObject, scenario: str, sales: str, folder: Path) -> None:
    """What the scripted model and its tools do."""
    with as_file(files("heliostat_scripted") / "scenarios" / f"{scenario}.yaml") as path:
        script = read_scenario(path)
    prompt = f"{text(agent, 'spec', 'prompt')}\n\n{sales}".strip()
    found = re.search(script.variables["csv"].pattern, prompt)
    assert found is not None
    (folder / "sales.csv").write_text(f"{found.group(1)}\n")
    programs = [
        step.tool.input["content"]
        for turn in script.turns
        for step in turn.steps
        if step.tool and str(step.tool.input.get("file_path")).endswith("analyse.py")
    ]
    (folder / "analyse.py").write_text(str(programs[0]))
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    subprocess.run([sys.executable, "analyse.py"], cwd=folder, env=environ, check=True)


def verify(agent: JsonObject, sales: str, folder: Path) -> tuple[int, str]:
    command = [sys.executable, *texts(part(agent, "spec", "verify"), "command")[1:]]
    environ = {"HELIOSTAT_INPUT": sales, "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize("other", [False, True], ids=["the demo's sales", "other sales"])
def test_the_report_is_computed_and_verified_whatever_the_sales(folder: Path, other: bool) -> None:
    sales = OTHER_SALES if other else (folder / "sales.csv").read_text()
    agent = read_agent(folder / "sales.yaml", "scripted")
    work(agent, "demo", sales, folder)
    assert verify(agent, sales, folder) == (0, "")
    report = (folder / "report.md").read_text()
    total = "13.30" if other else "38531.30"
    assert f"| Total | {total} |" in report


def test_five_sales_of_many_are_refused_with_both_sums(folder: Path) -> None:
    sales = (folder / "sales.csv").read_text()
    agent = read_agent(folder / "hurried.yaml", "scripted")
    work(agent, "demo-hurried", sales, folder)
    code, said = verify(agent, sales, folder)
    assert code == 1
    assert said.endswith("Total: report.md says 5677.20, the sales add up to 38531.30")


def test_a_missing_report_is_refused(folder: Path) -> None:
    agent = read_agent(folder / "sales.yaml", "scripted")
    sales = (folder / "sales.csv").read_text()
    assert verify(agent, sales, folder) == (1, "there is no report.md and no chart.png")
