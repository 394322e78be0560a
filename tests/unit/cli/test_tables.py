"""Tables as kubectl prints them."""

from datetime import datetime

from heliostat_cli.tables import look_up, render_objects
from heliostat_core.crds import RESOURCES
from heliostat_core.executions import Execution
from heliostat_core.worlds import JsonObject

AGENTS, EXECUTIONS, _ = RESOURCES


def test_executions_show_the_columns_of_the_crd_with_money_as_dollars(
    succeeded: Execution, now: datetime
) -> None:
    assert render_objects(EXECUTIONS, [succeeded.to_json()], now) == (
        "NAME      PHASE       AGENT   BLOCKED BY   COST        DURATION   AGE\n"
        "sales-1   Succeeded   sales   -            $0.104282   12s        3m"
    )


def test_wide_adds_the_columns_of_lower_priority(refused: Execution, now: datetime) -> None:
    assert render_objects(EXECUTIONS, [refused.to_json()], now, wide=True).splitlines()[1] == (
        "sales-1   Failed   sales   -            $0.104282   12s        3m"
        "    VerificationFailed   scripted/demo"
    )


def test_an_object_without_a_status_has_dashes(now: datetime) -> None:
    agent: JsonObject = {
        "metadata": {"name": "a", "namespace": "team", "creationTimestamp": "2026-08-20T15:59:00Z"},
        "spec": {"model": {"name": "scripted/hello"}},
    }
    assert render_objects(AGENTS, [agent], now, with_namespace=True) == (
        "NAMESPACE   NAME   READY   SCHEDULE   NEXT   ACTIVE   LAST   COST   AGE\n"
        "team        a      -       -          -      -        -      -      60s"
    )


def test_a_path_into_a_list_takes_the_member_that_fits() -> None:
    obj: JsonObject = {"c": [{"type": "A", "status": "1"}, {"type": "B", "status": "2"}]}
    assert look_up(obj, '.c[?(@.type=="B")].status') == "2"
    assert look_up(obj, ".c[0].status") == "1"
    assert look_up(obj, ".c[7].status") is None
    assert look_up(obj, '.c[?(@.kind=="B")].status') is None
