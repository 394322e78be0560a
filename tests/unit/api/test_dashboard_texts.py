"""The dashboard has words for whatever the operator says."""

import itertools
import re

import pytest

from heliostat_api.records.drafts import RESOURCE_DELETED
from heliostat_core import conditions
from heliostat_core.approvals import ApprovalReason
from heliostat_core.conditions import (
    BlockedReason,
    Documented,
    FinishedReason,
    ReadyReason,
    TickReason,
)
from heliostat_core.executions import Phase
from heliostat_operator.schedules.pauses import FAILURES
from tools.dashboard import SOURCES

_TEXTS = "\n".join(each.read_text() for each in (SOURCES / "src" / "words").glob("*.ts"))
KEYS = set(re.findall(r'^  "([a-zA-Z.]+)":', _TEXTS, re.M))


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_text(phase: Phase) -> None:
    assert f"phase.{phase}" in KEYS


ENUMS: list[type[Documented]] = [
    ApprovalReason,
    *(
        each
        for each in vars(conditions).values()
        if isinstance(each, type)
        and issubclass(each, Documented)
        and each.__name__.endswith("Reason")
    ),
]
"""Whichever reasons there are: who adds an enum of them adds its words."""
REASONS = {*itertools.chain.from_iterable(ENUMS), FAILURES, RESOURCE_DELETED}
PLATFORM = re.compile(
    r"\b(?:pods?|nodes?|kubelet|API server|spec\.|Secret Manager|CronJob|operator|CRD|RED)\b"
    r"|파드|노드|오퍼레이터|API 서버|축출|선점"
)
NAMED = {"SecretManagerUnreachable"}
"""A product's own name, by which who set it up knows it."""


def test_reasons_of_every_enum_are_looked_up() -> None:
    assert {FinishedReason, BlockedReason, ReadyReason, TickReason} <= set(ENUMS)


def test_no_reason_is_in_words_of_the_platform() -> None:
    lines = re.findall(r'^  "reason\.(\w+)": (\{.*?\}),$', _TEXTS, re.M | re.S)
    assert len(lines) >= len(REASONS)
    assert [name for name, text in lines if name not in NAMED and PLATFORM.search(text)] == []


def test_every_text_was_found() -> None:
    assert len(KEYS) > 100


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_has_a_text(reason: str) -> None:
    assert f"reason.{reason}" in KEYS
