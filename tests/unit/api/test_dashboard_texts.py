"""The dashboard has words for whatever the operator says."""

import re

import pytest

from heliostat_api.records.drafts import RESOURCE_DELETED
from heliostat_core.conditions import BlockedReason, FinishedReason, ReadyReason, TickReason
from heliostat_core.executions import Phase
from heliostat_operator.schedules.pauses import FAILURES
from tools.dashboard import SOURCES

_TEXTS = "\n".join(each.read_text() for each in (SOURCES / "src" / "words").glob("*.ts"))
KEYS = set(re.findall(r'^  "([a-zA-Z.]+)":', _TEXTS, re.M))


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_text(phase: Phase) -> None:
    assert f"phase.{phase}" in KEYS


REASONS = {*FinishedReason, *BlockedReason, *ReadyReason, *TickReason, FAILURES, RESOURCE_DELETED}


def test_every_text_was_found() -> None:
    assert len(KEYS) > 100


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_has_a_text(reason: str) -> None:
    assert f"reason.{reason}" in KEYS
