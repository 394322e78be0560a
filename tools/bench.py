"""The benchmarks of this folder and of another commit in turn: `make bench BASE=COMMIT`.

BENCH is an expression for pytest's `-k`, ROUNDS how often each version runs. The other commit gets
a worktree and an installation of its own in a temporary folder, at the versions of its uv.lock, and
runs its own benchmarks: modules may have other names there. Nothing stays behind, however it ends.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools import uv
from tools.bench_figures import Measure, alone, compare, read_table, table_of
from tools.machine import ROOT

CHOSEN = "added_latency or saturation or at_20_a_second or one_tick"
ROUNDS = 3
NO_TESTS = 5  # pytest's exit code


def clean_environment() -> dict[str, str]:
    """Without what would lead uv or git to this folder."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "VIRTUAL_ENV" and not name.startswith("GIT_")
    }


def git(*arguments: str) -> str:
    """What git says in this folder; SystemExit with its words when it fails."""
    done = subprocess.run(
        ("git", *arguments), cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return done.stdout.strip()


@contextlib.contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """That commit in a temporary folder, installed."""
    with tempfile.TemporaryDirectory(prefix="heliostat-bench-") as folder:
        path = Path(folder) / "base"
        git("worktree", "add", "--quiet", "--detach", str(path), commit)
        try:
            install(path)
            yield path
        finally:
            git("worktree", "remove", "--force", str(path))


def install(path: Path) -> None:
    """Programs that were fetched (uv, neighbours) are shared, for their folders have versions."""
    (ROOT / ".tools").mkdir(exist_ok=True)
    (path / ".tools").symlink_to(ROOT / ".tools")
    command = [str(uv.find()), "sync", "--all-packages", "--frozen", "--quiet"]
    environment = {**clean_environment(), "UV_PROJECT_ENVIRONMENT": str(path / ".venv")}
    command += ["--python", sys.executable]
    subprocess.run(command, cwd=path, env=environment, check=True)


def run(path: Path, chosen: str) -> list[Measure]:
    """The figures of one round; SystemExit with the output when a benchmark fails."""
    pytest = (str(path / ".venv" / "bin" / "pytest"), "tests/bench", "-q", "-s", "-rs")
    command = (*pytest, "-o", "timeout_func_only=true", "-k", chosen)
    done = subprocess.run(
        command,
        cwd=path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode == NO_TESTS:
        raise SystemExit(f"no benchmark in {path} is chosen by {chosen!r}")
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nthe benchmarks of {path} failed")
    return read_table(done.stdout)


def main(base: str, chosen: str, rounds: int) -> None:
    """Prints both medians of each figure, and whether this folder is slower."""
    commit = git("rev-parse", "--verify", f"{base}^{{commit}}")
    print(f"installing {commit[:12]} beside this folder ...", flush=True)
    theirs: list[list[Measure]] = []
    ours: list[list[Measure]] = []
    with worktree(commit) as path:
        for number in range(1, rounds + 1):
            print(f"round {number} of {rounds}: {base}, then this folder ...", flush=True)
            theirs.append(run(path, chosen))
            ours.append(run(ROOT, chosen))
    comparisons = compare(theirs, ours)
    print("\n".join([*table_of(comparisons), *alone(theirs, ours)]))
    if rounds == 1:
        print("One round says nothing of how far figures lie apart: set ROUNDS.")
    if any(each.verdict == "SLOWER" for each in comparisons):
        raise SystemExit(1)


def end(number: int, _: FrameType | None) -> NoReturn:
    """SIGTERM cleans up as well."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    main(
        os.environ["BASE"],
        os.environ.get("BENCH") or CHOSEN,
        int(os.environ.get("ROUNDS") or ROUNDS),
    )
