"""`make soak`: months of runs in an hour, some more in real pods, and what came of both in
docs/reliability.md."""

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
from support.cluster import NoClusterError
from tools.machine import ROOT, find_control_plane_programs, read_commit

PAGE = ROOT / "docs" / "reliability.md"
_SHOWN = 50
_REAL, _REAL_AT_ONCE = 200, 10


def main() -> int:
    """0 when nothing is wrong, 1 when something is, 2 when what was asked can't be done here."""
    options = read_options()
    try:
        verdicts = [*in_played_pods(options), *in_real_pods(options)]
    except (NoProgramsError, NoClusterError) as missing:
        say(str(missing))
        return 2
    return 0 if all(each.is_good for each in verdicts) else 1


def in_played_pods(options: Options) -> Iterator[Verdict]:
    """RUNS of them, or none. Raises NoProgramsError."""
    if not options.runs:
        return
    programs = find_control_plane_programs()
    if programs is None:
        raise NoProgramsError(
            "no control plane on this machine. Remedy: set KUBEBUILDER_ASSETS or HELIOSTAT_KUBE"
        )
    folder = Path(tempfile.mkdtemp(prefix="heliostat-soak-"))
    say(f"logs in {folder}")
    verdict = asyncio.run(soak_with_played_pods(programs, folder, options, say))
    tell("played", verdict)
    yield verdict


def in_real_pods(options: Options) -> Iterator[Verdict]:
    """REAL of them, on the cluster that e2e tests would use. Raises NoClusterError when REAL asks
    for them and there is none."""
    asked = os.environ.get("REAL")
    runs = int(asked or _REAL)
    if not runs:
        return
    try:
        yield from _soak_in_real_pods(options, runs)
    except NoClusterError as missing:
        if asked:
            raise
        say(f"left out: {runs} runs in real pods, for there is {missing}")


def _soak_in_real_pods(options: Options, runs: int) -> Iterator[Verdict]:
    real = replace(options, runs=runs, at_once=_REAL_AT_ONCE, stories=REAL_STORIES, measures=False)
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
    table = build_table(verdict, datetime.now(UTC).date(), read_commit())
    say(table)
    write_table(PAGE, name, table)


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
