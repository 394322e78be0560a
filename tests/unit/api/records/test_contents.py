"""What a spec lacks, and what is wrong with it."""

import pytest
from pydantic import JsonValue

from heliostat_api.records.contents import Spec, completed, judge


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        ({}, ("spec.prompt",)),
        ({"prompt": ""}, ("spec.prompt",)),
        ({"prompt": "x"}, ()),
        (
            {"prompt": "x", "workspace": {"env": [{"value": "1"}, {"name": ""}]}},
            ("spec.workspace.env[0].name", "spec.workspace.env[1].name"),
        ),
    ],
)
def test_what_is_not_there_or_empty_is_missing(spec: Spec, missing: tuple[str, ...]) -> None:
    judgement = judge(spec)
    assert (judgement.missing, judgement.faults) == (missing, ())


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"prompt": 7}, "spec.prompt"),
        ({"prompt": None}, "spec.prompt"),
        ({"limits": {"timeout_seconds": 5}}, "spec.limits.timeout_seconds"),
        ({"limits": {"maxTurns": 1.5}}, "spec.limits.maxTurns"),
        ({"limits": {"maxTurns": True}}, "spec.limits.maxTurns"),
        ({"limits": {"maxTurns": float("nan")}}, "spec.limits.maxTurns"),
        ({"workspace": {"storage": {"type": "Other"}}}, "spec.workspace.storage.type"),
        ({"verify": []}, "spec.verify"),
        ({"suspend": False}, "spec.suspend"),
    ],
)
def test_what_is_there_and_wrong_is_named(spec: dict[str, JsonValue], field: str) -> None:
    [fault] = judge({"prompt": "x", **spec}).faults
    assert fault.field == field


def test_half_a_character_is_wrong() -> None:
    [fault] = judge({"prompt": "cut \ud83d"}).faults
    assert fault.field == "spec"


def test_a_spec_without_a_prompt_has_its_defaults_all_the_same() -> None:
    spec = completed({"limits": {"maxTurns": 3}})
    assert spec is not None
    assert (spec.limits.max_turns, spec.limits.timeout_seconds) == (3, 3600)
    assert completed({"limits": {"maxTurns": 0}}) is None


def test_two_entries_that_have_no_name_yet_are_missing_it_and_not_the_same() -> None:
    judgement = judge({"prompt": "x", "workspace": {"env": [{"value": "1"}, {"value": "2"}]}})
    assert judgement.faults == ()
    assert judgement.missing == ("spec.workspace.env[0].name", "spec.workspace.env[1].name")


def test_two_entries_of_one_name_are_wrong() -> None:
    env: JsonValue = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    [fault] = judge({"prompt": "x", "workspace": {"env": env}}).faults
    assert (fault.field, "A stands above" in str(fault)) == ("spec.workspace.env[1]", True)


@pytest.mark.parametrize(
    ("name", "where"), [("description", "set description there"), ("suspend", "leave it out")]
)
def test_what_is_said_elsewhere_is_refused_with_the_place(name: str, where: str) -> None:
    [fault] = judge({"prompt": "x", name: "x" if name == "description" else False}).faults
    assert (fault.field, where in str(fault)) == (f"spec.{name}", True)
