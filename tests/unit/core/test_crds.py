"""The generated definitions: in step with the models, and every rule met by a case."""

from collections.abc import Iterator, Mapping, Sequence

import pytest
import yaml
from pydantic import ValidationError

from heliostat_core.crds import RESOURCES, build_crds, build_schema
from heliostat_core.worlds import JsonObject
from support.crd_cases import RULE_CASES, UPDATES, Case, Node, Update, bound_cases, nodes
from support.crd_values import PATTERNS
from tools.crd_manifests import build_files
from tools.machine import ROOT

NODES = nodes()
MODELS = {each.kind: each.model for each in RESOURCES}
# Keywords that say something about a value, other than its type.
BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "enum")


def rules_of(node: Node) -> Iterator[tuple[str, str]]:
    """Where each rule of the node is seen in an error, and its message."""
    rules = node.schema.get("x-kubernetes-validations", [])
    assert isinstance(rules, Sequence)
    for rule in rules:
        assert isinstance(rule, Mapping)
        yield node.field, str(rule["message"])


def rules_of_whole_objects() -> Iterator[tuple[str, str]]:
    for resource in RESOURCES:
        rules = build_schema(resource).get("x-kubernetes-validations", [])
        assert isinstance(rules, Sequence)
        for rule in rules:
            assert isinstance(rule, Mapping)
            yield str(rule["fieldPath"]).lstrip("."), str(rule["message"])


def test_the_files_are_what_the_models_say() -> None:
    for name, text in build_files().items():
        assert (ROOT / "manifests" / "crds" / name).read_text() == text, "run make generate"


def test_the_yaml_reads_back_as_the_definition() -> None:
    files = build_files()
    for name, crd in build_crds().items():
        assert yaml.safe_load(files[f"{name}.yaml"]) == crd


@pytest.mark.parametrize("node", NODES, ids=[node.label for node in NODES])
def test_every_bound_is_met_by_an_accepted_and_a_refused_value(node: Node) -> None:
    cases = list(bound_cases(node))
    for keyword in BOUNDS:
        if keyword in node.schema:
            of_keyword = [case for case in cases if f" {keyword} " in case.name]
            assert {case.refused_at is None for case in of_keyword} == {True, False}, keyword


def test_every_rule_refuses_a_case_and_accepts_another() -> None:
    all_cases: list[Case | Update] = [*RULE_CASES, *UPDATES]
    met = {(case.refused_at, case.message) for case in all_cases if case.refused_at}
    stated = {rule for node in NODES for rule in rules_of(node)}
    assert stated | set(rules_of_whole_objects()) == met
    accepted = [case for case in RULE_CASES if case.refused_at is None]
    for node in NODES:
        if "x-kubernetes-validations" in node.schema and not _is_about_changes(node.schema):
            assert any(_reaches(case.spec, node.tokens[1:]) for case in accepted), node.label


def _is_about_changes(schema: JsonObject) -> bool:
    return "oldSelf" in str(schema["x-kubernetes-validations"])


def _reaches(value: object, tokens: Sequence[str]) -> bool:
    if not tokens:
        return True
    if isinstance(value, list):
        return any(_reaches(item, tokens[1:]) for item in value)
    return (
        isinstance(value, Mapping) and tokens[0] in value and _reaches(value[tokens[0]], tokens[1:])
    )


def test_every_pattern_has_samples_and_none_is_left_over() -> None:
    assert {node.schema["pattern"] for node in NODES if "pattern" in node.schema} == set(PATTERNS)


@pytest.mark.parametrize("node", NODES, ids=[node.label for node in NODES])
def test_the_models_judge_bounds_as_the_definitions_do(node: Node) -> None:
    for case in bound_cases(node):
        # Keys of lists are the API server's affair, and the models read `"true"` as true.
        if not case.name.endswith(("same key twice", "wrong type")):
            assert is_valid(case) is (case.refused_at is None), case.name


def is_valid(case: Case) -> bool:
    obj = {"metadata": {"name": "a"}, "spec": case.spec, "status": case.status or {}}
    try:
        MODELS[case.kind].model_validate(obj)
    except ValidationError:
        return False
    return True
