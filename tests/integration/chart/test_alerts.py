"""Every alert fires in its trouble and is silent in a healthy house; promtool decides."""

import json
import subprocess
from pathlib import Path

import pytest

from support.promql import MONITORING, read_alerts
from support.synthetic_series import (
    DAY,
    HOURS,
    TROUBLES,
    Series,
    Span,
    flat,
    house,
    series_of,
    starting_at,
)
from tools.promtool import NoPromtoolError, find_promtool

RULES = MONITORING / "alerts.yaml"
# Compares with the day before; every other one is of the last hours.
OF_A_DAY = "HeliostatCostJumps"


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        return find_promtool()
    except NoPromtoolError as missing:
        pytest.skip(str(missing))


def run(promtool: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [promtool, *words], capture_output=True, text=True, check=False, timeout=120
    )


def case(alert: str | None, span: Span = HOURS, series: Series | None = None) -> dict[str, object]:
    """Which alerts fire at the end: this one, or none."""
    selector = f',alertname="{alert}"' if alert else ""
    fires = [{"labels": "{}", "value": 1}] if alert else []
    return {
        "interval": f"{span.step}m",
        "input_series": [
            {"series": name, "values": course.over(span)}
            for name, course in (series or series_of(alert)).items()
        ],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertstate="firing"{selector}}})',
                "eval_time": f"{span.minutes}m",
                "exp_samples": fires,
            }
        ],
    }


def judge(promtool: Path, folder: Path, *cases: dict[str, object], every: str = "2m") -> str:
    """What promtool says against them; empty for nothing."""
    file = folder / "test.json"
    file.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": every, "tests": cases})
    )
    done = run(promtool, "test", "rules", str(file))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_rules_are_well_formed(promtool: Path) -> None:
    done = run(promtool, "check", "rules", "--lint-fatal", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_its_trouble() -> None:
    assert [each.name for each in read_alerts()] == list(TROUBLES)


def test_a_healthy_house_is_silent(promtool: Path, tmp_path: Path) -> None:
    assert judge(promtool, tmp_path, case(None)) == ""


def test_each_alert_fires_in_its_trouble(promtool: Path, tmp_path: Path) -> None:
    troubles = [case(name) for name in TROUBLES if name != OF_A_DAY]
    assert judge(promtool, tmp_path, *troubles) == ""


def test_a_day_that_costs_more_than_the_day_before(promtool: Path, tmp_path: Path) -> None:
    assert judge(promtool, tmp_path, case(OF_A_DAY, DAY), every="5m") == ""


def test_what_an_operator_finds_missed_when_it_starts_is_told(
    promtool: Path, tmp_path: Path
) -> None:
    found = case("HeliostatSchedulesMiss")
    series = found["input_series"]
    assert isinstance(series, list)
    name = 'heliostat_schedule_ticks_total{end="missed",pod="new"}'
    healthy = [each for each in case(None)["input_series"] if "missed" not in each["series"]]  # type: ignore[attr-defined]
    begun = {"series": name, "values": starting_at(2).over(HOURS)}
    assert judge(promtool, tmp_path, {**found, "input_series": [*healthy, begun]}) == ""


def test_a_service_that_is_gone_is_missed_only_where_it_should_be(
    promtool: Path, tmp_path: Path
) -> None:
    writer = "heliostat_gateway_writer_waiting"
    missed = case("HeliostatLedgerNotWritten", series=house({writer: None}))
    small = {
        writer: None,
        "heliostat_gateway_ledger_shared": flat(0),
        "heliostat_api_stream_clients": None,
        'heliostat_operator_expects{service="api"}': flat(0),
        "heliostat_egress_open_tunnels": None,
        'heliostat_operator_expects{service="egress"}': flat(0),
    }
    assert judge(promtool, tmp_path, missed, case(None, series=house(small))) == ""


def test_a_gateway_that_answers_nobody_is_told(promtool: Path, tmp_path: Path) -> None:
    calls = [name for name in series_of(None) if name.startswith("heliostat_gateway_calls_total")]
    refuses = TROUBLES["HeliostatGatewayRefuses"]
    series = house({**refuses, **dict.fromkeys(calls)})
    assert judge(promtool, tmp_path, case("HeliostatGatewayRefuses", series=series)) == ""


def test_a_new_house_has_no_day_before(promtool: Path, tmp_path: Path) -> None:
    spends = {**case(OF_A_DAY), "promql_expr_test": case(None)["promql_expr_test"]}
    assert judge(promtool, tmp_path, spends) == ""


def test_an_alert_that_does_not_fire_is_found(promtool: Path, tmp_path: Path) -> None:
    silent = {**case(None), "promql_expr_test": case("HeliostatRunsStuck")["promql_expr_test"]}
    assert "FAILED" in judge(promtool, tmp_path, silent)
