"""`heliostat run` on this machine, with commands in the place of Claude Code."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.heliostat_program import PROGRAM, build_environ

from .conftest import Ended, Heliostat

AGENT = """
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata: {name: worker}
spec:
  prompt: Work.
  runtime:
    command: [python3, -c, PROGRAM]
"""
GOOD = """
import os, pathlib
pathlib.Path("made.txt").write_text("x")
print("did", os.environ["HELIOSTAT_INPUT"])
"""
BAD = "raise SystemExit('no sales today')"
LONG = "import time; print('begun', flush=True); time.sleep(120)"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return build_environ(tmp_path, HELIOSTAT_HOME=str(tmp_path / "state"))


@pytest.fixture
def here(environ: dict[str, str]) -> Heliostat:
    """`heliostat ...` in an embedded world of the test's own."""

    def run(*arguments: str | Path) -> Ended:
        return subprocess.run(
            [PROGRAM, *arguments],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(program: str) -> Path:
        path = tmp_path / "worker.yaml"
        path.write_text(AGENT.replace("PROGRAM", json.dumps(program)))
        return path

    return write


@pytest.fixture
def start(environ: dict[str, str]) -> Callable[..., subprocess.Popen[str]]:
    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROGRAM, *arguments],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def row(ended: Ended, name: str) -> str:
    """A row of the summary."""
    found = [line for line in ended.stdout.splitlines() if line.startswith(f"{name} ")]
    assert found, ended.stdout + ended.stderr
    return found[-1].removeprefix(name).strip()


def test_a_run_ends_with_what_it_made_and_can_be_looked_at_later(
    here: Heliostat, write: Callable[[str], Path]
) -> None:
    ran = here("run", write(GOOD), "--input", "sales")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("world: embedded (~/state), namespace default\n")
    name, _, ending = row(ran, "execution").partition(": ")
    assert ending == "Succeeded (Unverified)"
    assert row(ran, "result") == "did sales"
    assert row(ran, "files") == "made.txt"
    assert row(ran, "cost") == "$0.000000"
    assert (Path(row(ran, "workspace")) / "made.txt").read_text() == "x"
    assert Path(row(ran, "transcript")).is_file()

    got = here("get", "executions", "-o", "json")
    (item,) = json.loads(got.stdout)["items"]
    assert item["metadata"]["name"] == name
    assert got.stderr == "world: embedded (~/state), namespace default\n"
    assert "did sales\n" in here("logs", name).stdout
    assert "Unverified" in here("why", name).stdout
    assert f"Name:           {name}\n" in here("describe", "execution", name).stdout
    agents = json.loads(here("get", "agents", "-o", "json").stdout)
    assert agents["items"][0]["status"]["active"] == 0
    again = here("run", "worker", "--input", "more")
    assert (again.returncode, row(again, "result")) == (0, "did more")
    gone = here("delete", "execution", name)
    assert gone.stdout == f"execution.heliostat.dev/{name} deleted\n"


def test_a_failure_has_exit_code_1_and_a_remedy(
    here: Heliostat, write: Callable[[str], Path]
) -> None:
    ran = here("run", write(BAD))
    assert ran.returncode == 1
    assert row(ran, "execution").endswith(": Failed (CommandFailed)")
    assert "run the command by hand in the workspace" in row(ran, "remedy")


def test_a_wrong_field_is_refused_before_anything_is_made(
    here: Heliostat, write: Callable[[str], Path]
) -> None:
    path = write(GOOD)
    path.write_text(path.read_text().replace("prompt", "promt"))
    ran = here("run", path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"error: {path}: Agent 'worker': unknown field spec.promt\n"
        "remedy: Did you mean spec.prompt?\n"
    )


def test_a_run_that_nobody_would_carry_out_is_refused(
    here: Heliostat, write: Callable[[str], Path]
) -> None:
    ran = here("run", write(GOOD), "--no-follow")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "error: --no-follow: nobody would run it" in ran.stderr


def wait_for_line(run: subprocess.Popen[str], words: str) -> str:
    assert run.stdout is not None
    return next(line for line in iter(run.stdout.readline, "") if words in line)


def test_ctrl_c_cancels(
    start: Callable[..., subprocess.Popen[str]], write: Callable[[str], Path], here: Heliostat
) -> None:
    with start("run", write(LONG)) as run:
        wait_for_line(run, "begun")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (130, "")
    assert "cancelling: the run's key dies first, then its processes\n" in out
    assert "Cancelled (Cancelled)\n" in out
    assert "Cancelled" in here("get", "executions").stdout


def test_another_process_cancels_what_runs_here(
    start: Callable[..., subprocess.Popen[str]], write: Callable[[str], Path], here: Heliostat
) -> None:
    with start("run", write(LONG)) as run:
        name = wait_for_line(run, "execution ").split()[1]
        wait_for_line(run, "begun")
        cancelled = here("cancel", name)
        out, _ = run.communicate(timeout=60)
    assert (cancelled.returncode, run.returncode) == (0, 1)
    assert cancelled.stdout.endswith("Cancelled\n")
    assert "spec.cancel was set by 'heliostat-cancel'." in out
