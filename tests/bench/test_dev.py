"""`heliostat dev` from the command to a dashboard that answers."""

from pathlib import Path
from statistics import median

import pytest

from bench.figures import Report
from support.dev_process import running_dev

STARTS = 5
TARGET_SECONDS = 3.0


@pytest.mark.timeout(120)
def test_from_the_command_to_ready(tmp_path: Path, report: Report) -> None:
    with running_dev(tmp_path) as dev:
        first, starts = dev.started_seconds, list[float]()
        for _ in range(STARTS):
            dev.end()
            dev.start()
            starts.append(dev.started_seconds)
        dev.end()
    report.add(
        "heliostat dev: command → ready",
        f"median {median(starts):.1f} s, max {max(starts):.1f} s",
        f"<= {TARGET_SECONDS:.0f} s",
        median(starts) <= TARGET_SECONDS,
        f"the first time in its folder: {first:.1f} s",
    )
