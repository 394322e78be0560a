"""What `heliostat run` asks for."""

from pathlib import Path

import pytest

from heliostat_cli.errors import UsageError
from heliostat_cli.requests import (
    build_execution,
    is_file_target,
    new_suffix,
    parse_parameters,
    read_input,
)
from heliostat_core.executions import MOST_INPUT
from heliostat_core.worlds import JsonObject

TEMPLATE: JsonObject = {
    "spec": {
        "agentRef": {"name": "sales"},
        "input": "old",
        "priority": 7,
        "parameters": [{"name": "region", "value": "EU"}, {"name": "year", "value": "2025"}],
    }
}


def test_the_command_line_wins_over_the_file() -> None:
    assert build_execution(
        "sales",
        "team",
        "x7k2p",
        template=TEMPLATE,
        input_text="new",
        parameters={"year": "2026", "month": "5"},
    ) == {
        "apiVersion": "heliostat.dev/v1alpha1",
        "kind": "Execution",
        "metadata": {"name": "sales-x7k2p", "namespace": "team"},
        "spec": {
            "agentRef": {"name": "sales"},
            "trigger": {"kind": "Command"},
            "input": "new",
            "priority": 7,
            "parameters": [
                {"name": "region", "value": "EU"},
                {"name": "year", "value": "2026"},
                {"name": "month", "value": "5"},
            ],
        },
    }


def test_a_name_alone_makes_the_smallest_execution() -> None:
    assert build_execution("sales", "default", "aaaaa")["spec"] == {
        "agentRef": {"name": "sales"},
        "trigger": {"kind": "Command"},
    }


def test_too_long_an_input_names_its_field() -> None:
    with pytest.raises(UsageError, match=r"spec\.input: Too long"):
        build_execution("sales", "default", "aaaaa", input_text="x" * (MOST_INPUT + 1))


def test_suffixes_are_five_letters_and_digits() -> None:
    assert len(new_suffix()) == 5
    assert new_suffix() != new_suffix()


def test_parameters_are_pairs_and_values_may_hold_equals_signs() -> None:
    assert parse_parameters(["a=1", "b=x=y", "a=2"]) == {"a": "2", "b": "x=y"}
    with pytest.raises(UsageError, match="is no NAME=VALUE"):
        parse_parameters(["region"])


def test_input_is_a_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b\n")
    assert read_input("a text") == "a text"
    assert read_input(f"@{tmp_path}/in.csv") == "a,b\n"
    assert read_input(None) is None
    with pytest.raises(UsageError, match=r"--input: .*none can't be read"):
        read_input(f"@{tmp_path}/none")


@pytest.mark.parametrize(
    ("target", "is_file"),
    [("sales", False), ("sales.yaml", True), ("./sales", True), ("team.sales", False)],
)
def test_a_target_is_a_file_by_its_look(target: str, is_file: bool) -> None:
    assert is_file_target(target) is is_file
