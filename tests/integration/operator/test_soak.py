"""A short soak: every story, each part of the platform killed once, and nothing is wrong."""

import collections
from pathlib import Path

import pytest

from soak.course import Options
from soak.ground import NoProgramsError
from soak.restarts import PARTS
from soak.trial import soak_with_played_pods
from support.redis_server import NoRedisError

RUNS = 60


@pytest.mark.timeout(900)  # runs and their accidents, on a machine that may be busy
async def test_sixty_runs_and_every_fault(
    control_plane_programs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = Options(runs=RUNS, at_once=RUNS, seconds=400, stuck_seconds=120)
    try:
        verdict = await soak_with_played_pods(control_plane_programs, tmp_path, options, print)
    except (NoProgramsError, NoRedisError) as missing:
        pytest.skip(str(missing))
    words = capsys.readouterr().out
    assert [each for each in verdict.findings if each.fault != "twin"] == [], words
    assert verdict.record.done == RUNS
    assert verdict.record.restarts == collections.Counter(PARTS)
    assert sum(verdict.done.values()) > 0
    assert any(run.taken for run in verdict.record.runs)
    assert verdict.spoken > 0
