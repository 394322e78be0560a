"""Every alert and panel asks for metrics and labels that the services export."""

import re
from pathlib import Path

import pytest

from support.exported import Families, exported
from support.promql import (
    Use,
    expressions,
    family_of,
    read_alerts,
    read_dashboards,
    uses,
)
from tools.machine import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks.md"
# What only people with a question of their own read: documented, on no panel.
UNUSED = {
    "heliostat_gateway_anomaly_check_failures_total",
    "heliostat_gateway_breaker_decisions_alone_total",
    "heliostat_gateway_ledger_outages",
}


async def test_every_expression_asks_for_what_there_is(tmp_path: Path) -> None:
    known = await exported(tmp_path)
    asked = [(place, use) for place, text in expressions() for use in uses(text)]
    assert len(asked) > 100
    assert [(place, use) for place, use in asked if not is_served(use, known)] == []


def is_served(use: Use, known: Families) -> bool:
    family = known.get(family_of(use.metric, set(known)))
    if family is None:
        return False
    if use.metric.endswith("_bucket"):
        return family.kind == "histogram" and use.labels - {"le"} <= family.labels
    return use.labels <= family.labels


async def test_every_metric_is_on_a_panel_or_in_an_alert(tmp_path: Path) -> None:
    known = await exported(tmp_path)
    used = {family_of(use.metric, set(known)) for _, text in expressions() for use in uses(text)}
    assert set(known) - used == UNUSED


async def test_only_counters_are_read_as_rates(tmp_path: Path) -> None:
    known = await exported(tmp_path)
    # Gauges by the library's word, though they only grow.
    growing = {"heliostat_gateway_writer_written", "heliostat_gateway_writer_buried"}
    for place, text in expressions():
        for name in re.findall(r"(?:rate|increase)\((heliostat_\w+)", text):
            family = known[family_of(name, set(known))]
            assert family.kind in ("counter", "histogram") or name in growing, place


def test_a_metric_or_label_that_is_not_there_is_found() -> None:
    (use,) = uses('sum by (phase) (rate(heliostat_nothing_total{agent="x"}[5m]))')
    assert use == Use("heliostat_nothing_total", frozenset({"phase", "agent"}))
    assert not is_served(use, {})
    with pytest.raises(ValueError, match="unclosed"):
        uses("sum by (")


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    sections = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)
    assert sections == [each.name for each in read_alerts()]
    for each in read_alerts():
        assert each.annotations["runbook_url"] == f"docs/runbooks.md#{each.name.lower()}"
        assert each.labels["severity"] in ("critical", "warning")
        assert each.annotations["summary"]


def test_every_runbook_says_what_how_to_see_and_how_to_mend() -> None:
    text = RUNBOOKS.read_text()
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        parts = re.findall(r"^\*\*(\w+)\*\*", section, re.MULTILINE)
        assert parts == ["Means", "See", "Mend"], section.partition("\n")[0]


def test_dashboards_have_names_of_their_own() -> None:
    boards = read_dashboards()
    assert len({each.uid for each in boards}) == len({each.title for each in boards}) == 4
