"""`make soak`: months of runs in an hour, and what came of them in docs/reliability.md."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from soak.course import Options
from soak.ground import NoProgramsError
from soak.real import soak_in_real_pods
from soak.report import build_table, write_table
from soak.stories import REAL_STORIES
from soak.trial import Verdict, soak_with_played_pods
from tools.machine import ROOT, find_control_plane_programs

PAGE = ROOT / "docs" / "reliability.md"
_SHOWN = 50
_REAL_AT_ONCE = 10


def main() -> int:
    """0 when nothing is wrong, 1 when something is, 2 when it can't be done here."""
    if os.environ.get("RUNS") == "0":
        return 0 if all(each.is_good for each in in_real_pods(read_options())) else 1
    programs = find_control_plane_programs()
    if programs is None:
        say("no control plane on this machine. Remedy: set KUBEBUILDER_ASSETS or HELIOSTAT_KUBE")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="heliostat-soak-"))
    say(f"logs in {folder}")
    options = read_options()
    try:
        verdict = asyncio.run(soak_with_played_pods(programs, folder, options, say))
    except NoProgramsError as missing:
        say(str(missing))
        return 2
    tell("played", verdict)
    verdicts = [verdict, *in_real_pods(options)]
    return 0 if all(each.is_good for each in verdicts) else 1


def in_real_pods(options: Options) -> Iterator[Verdict]:
    """REAL runs, none without it: on the cluster that e2e tests would use."""
    runs = int(os.environ.get("REAL") or 0)
    if not runs:
        say("no runs in real pods: REAL=200 adds them, on the cluster that e2e tests would use")
        return
    real = replace(options, runs=runs, at_once=_REAL_AT_ONCE, stories=REAL_STORIES)
    verdict = soak_in_real_pods(real, say)
    tell("real", verdict)
    yield verdict


def read_options() -> Options:
    """RUNS, SECONDS, SEED, AT_ONCE of the environment."""
    plain, given = Options(), os.environ.get
    return Options(
        runs=int(given("RUNS") or plain.runs),
        seconds=float(given("SECONDS") or plain.seconds),
        seed=int(given("SEED") or plain.seed),
        at_once=int(given("AT_ONCE") or plain.at_once),
    )


def tell(name: str, verdict: Verdict) -> None:
    """On the terminal, and in the page."""
    for each in verdict.findings[:_SHOWN]:
        say(f"{each.fault}: {each.run}: {each.words}")
    table = build_table(verdict, datetime.now(UTC).date())
    say(table)
    write_table(PAGE, name, table)


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
