"""Faults on request: how they are ordered, which is due, and that the table of the docs is true."""

import re

import pytest

from heliostat_scripted.faults import (
    Armed,
    Asked,
    FaultName,
    OrderedFault,
    Orders,
    UnknownFaultError,
    parse_fault,
)
from heliostat_scripted.scenario import Scenario
from tools.machine import ROOT

ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
ASKED = Asked("chat", "hello", "team", "uid")
PRICES = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h"), "1")


def test_the_table_of_faults_is_the_code() -> None:
    page = (ROOT / "docs" / "scenarios.md").read_text()
    section = page.partition("## Faults by name\n")[2].partition("\n## ")[0]
    assert ROW.findall(section) == [name.value for name in FaultName]


def test_an_order_is_read() -> None:
    assert parse_fault("stall; times=2 ;after=3") == OrderedFault(FaultName.STALL, 2, 3.0)
    assert parse_fault("429").after_or_default == 2
    assert parse_fault("slow-first-token;after=0.5").after_or_default == 0.5
    assert parse_fault("stall").after_or_default == 1


@pytest.mark.parametrize(
    "text", ["", "explode", "stall;times=0", "stall;after=-1", "stall;often=2", "stall;times=x"]
)
def test_a_wrong_order_is_refused(text: str) -> None:
    with pytest.raises(UnknownFaultError):
        parse_fault(text)


def test_armed_faults_come_first_and_in_order() -> None:
    orders = Orders()
    orders.armed += [
        Armed(OrderedFault(FaultName.STALL), 1, model="other"),
        Armed(OrderedFault(FaultName.BROKEN), 2, api="chat", key="team"),
        Armed(OrderedFault(FaultName.LIMITED), 1),
    ]
    due = [orders.due(ASKED, "402") for _ in range(4)]
    names = [FaultName.BROKEN, FaultName.BROKEN, FaultName.LIMITED, FaultName.NO_MONEY]
    assert [fault and fault.name for fault in due] == names
    assert [armed.model for armed in orders.armed] == ["other"]


def test_times_of_a_header_count_for_one_execution() -> None:
    orders = Orders()
    other = Asked("chat", "hello", "team", "other")
    due = [orders.due(ASKED, "500;times=1") is not None for _ in range(2)]
    assert (due, orders.due(other, "500;times=1") is not None) == ([True, False], True)
    assert orders.due(ASKED, "") is None


@pytest.mark.parametrize(
    ("turn", "mistake"),
    [
        ({"fault": {"name": "stall"}}, "a turn needs steps"),
        ({"fault": {"name": "stall", "status": 500}}, "either a status or a name"),
        ({"fault": {}}, "either a status or a name"),
        ({"fault": {"status": 500, "after": 1}}, "after belongs to a fault with a name"),
        (
            {"steps": [{"text": "a"}], "usage": {"input": 1, "output": 1, "thinking": 2}},
            "thinking is a part of output",
        ),
        (
            {"steps": [{"text": "a"}], "usage": {"input": 1, "output": 1, "webSearches": 2}},
            "prices.webSearches is missing",
        ),
    ],
)
def test_mistakes_in_a_scenario_are_named(turn: dict[str, object], mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake):
        Scenario.model_validate({"description": "d", "prices": PRICES, "turns": [turn]})


def test_an_error_by_its_name_needs_no_steps() -> None:
    turns = [{"fault": {"name": "429-bare"}}]
    Scenario.model_validate({"description": "d", "prices": PRICES, "turns": turns})
