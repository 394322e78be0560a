"""Every alert and panel asks for metrics and labels that the services export."""

import re
from pathlib import Path
from typing import get_args

import pytest

from heliostat_api.web.metrics import DECISIONS, SHOWN
from heliostat_core.approvals import ApprovalState
from heliostat_core.conditions import BlockedReason, FinishedReason
from heliostat_core.executions import CauseClass, Phase
from heliostat_core.schedules.status import Outcome
from heliostat_gateway.breakers import BreakerState
from heliostat_gateway.egress.decisions import Verdict
from support.exported import Families, exported
from support.promql import (
    Use,
    choices,
    expressions,
    family_of,
    read_alerts,
    read_dashboards,
    thresholds,
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

GATEWAY = (ROOT / "docs" / "gateway.md").read_text()
VALUES: dict[tuple[str, str], set[str]] = {
    ("heliostat_attempts_total", "cause"): {*get_args(CauseClass), "none"},
    ("heliostat_executions", "phase"): set(Phase),
    ("heliostat_approvals", "state"): set(ApprovalState),
    ("heliostat_executions_finished_total", "phase"): set(Phase),
    ("heliostat_executions_finished_total", "reason"): {each.value for each in FinishedReason},
    ("heliostat_agent_executions_finished_total", "phase"): set(Phase),
    ("heliostat_executions_blocked", "reason"): {each.value for each in BlockedReason},
    ("heliostat_schedule_ticks_total", "end"): {each.lower() for each in get_args(Outcome)},
    ("heliostat_operator_expects", "service"): {"api", "egress"},
    ("heliostat_gateway_calls_total", "outcome"): set(
        re.findall("`([a-z_]+)`", GATEWAY.partition("Outcomes of requests:")[2])
    ),
    ("heliostat_gateway_refusals_total", "type"): set(
        re.findall(r"`([a-z_]+_error)`", GATEWAY.partition("Refusals have")[2].partition("##")[0])
    ),
    ("heliostat_gateway_tokens_total", "kind"): {
        "input",
        "output",
        "cache_read",
        "cache_write_5m",
        "cache_write_1h",
    },
    ("heliostat_gateway_breakers", "state"): set(BreakerState),
    ("heliostat_api_requests_total", "status"): {f"{first}xx" for first in range(1, 6)},
    ("heliostat_egress_decisions_total", "verdict"): set(Verdict),
    ("heliostat_api_approval_decisions_total", "decision"): set(DECISIONS),
    ("heliostat_api_approval_decisions_total", "shown"): set(SHOWN),
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


async def test_every_value_that_is_asked_for_is_one_that_there_is(tmp_path: Path) -> None:
    known = await exported(tmp_path)
    asked = {
        (family_of(metric, set(known)), label, value)
        for _, text in expressions()
        for metric, label, value in choices(text)
        if value not in ("x", ".*")  # what a page has chosen, or all
    }
    assert len(asked) > 20
    assert [each for each in sorted(asked) if not is_a_value(*each)] == []


def is_a_value(metric: str, label: str, value: str) -> bool:
    return any(re.fullmatch(value, each) for each in VALUES[metric, label])


async def test_every_threshold_is_below_the_last_bound_of_its_histogram(tmp_path: Path) -> None:
    known = await exported(tmp_path)
    asked = [
        (metric, number)
        for alert in read_alerts()
        for metric, number in thresholds(alert.expression)
    ]
    assert len(asked) == 5
    for metric, number in asked:
        *bounds, last = known[family_of(metric, set(known))].bounds
        assert last == float("inf")
        # Beyond the last finite bound a quantile says that bound, whatever was measured.
        assert number < bounds[-1], metric


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


def test_every_runbook_says_what_how_to_see_and_how_to_fix() -> None:
    text = RUNBOOKS.read_text()
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        parts = re.findall(r"^\*\*(\w+)\*\*", section, re.MULTILINE)
        assert parts == ["Means", "See", "Fix"], section.partition("\n")[0]


def test_dashboards_have_names_of_their_own() -> None:
    boards = read_dashboards()
    assert len({each.uid for each in boards}) == len({each.title for each in boards}) == 4
