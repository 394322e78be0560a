"""The dashboard has words for whatever the operator says."""

import re

import pytest

from heliostat_core.conditions import BlockedReason, FinishedReason, ReadyReason
from heliostat_core.executions import Phase
from tools.dashboard import SOURCES

_CATALOGUE = (SOURCES / "src" / "words" / "catalogue.ts").read_text()
KEYS = set(re.findall(r'^  "([a-zA-Z.]+)":', _CATALOGUE, re.M))


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_text(phase: Phase) -> None:
    assert f"phase.{phase}" in KEYS


@pytest.mark.parametrize("reason", [*FinishedReason, *BlockedReason, *ReadyReason])
def test_every_reason_has_a_text(reason: str) -> None:
    assert f"reason.{reason}" in KEYS
