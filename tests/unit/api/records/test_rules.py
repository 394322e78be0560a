"""What the API server refuses of an Agent is wrong in a draft, too, in both languages."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from heliostat_api.base.texts import speaking
from heliostat_api.records.contents import judge
from heliostat_api.records.loading import SPEC as SPEC_OF
from heliostat_api.records.rules import KOREAN
from heliostat_core.worlds import AGENT
from support.crd_cases import RULE_CASES, Case, Node, bound_cases, nodes

SPEC = [each for each in nodes() if each.resource.kind == AGENT and each.tokens[0] == "spec"]
OWN = [each for each in SPEC if each.path not in ("spec", "spec.description", "spec.suspend")]
CASES = [each for each in RULE_CASES if each.kind == AGENT]


def messages() -> Iterator[str]:
    """Of every rule; those of schedules and hosts the api says in words of its own."""
    for node in SPEC:
        rules = node.schema.get("x-kubernetes-validations", ())
        assert isinstance(rules, Sequence)
        if not node.path.startswith(("spec.schedule", "spec.workspace.egress")):
            for rule in rules:
                assert isinstance(rule, Mapping)
                yield str(rule["message"])


def test_every_rule_is_said_in_korean() -> None:
    assert set(messages()) == set(KOREAN)


@pytest.mark.parametrize("case", CASES, ids=[each.name for each in CASES])
def test_a_rule_of_the_api_server_holds_for_drafts(case: Case) -> None:
    found = judge(SPEC_OF.validate_python(case.spec))
    assert found.missing == ()
    assert bool(found.faults) == (case.refused_at is not None)


def test_a_rule_is_said_in_the_language_at_hand() -> None:
    with speaking("ko"):
        [fault] = judge({"prompt": "x", "verify": {"files": ["../x"]}}).faults
    assert fault.message == "작업 공간 안의 경로여야 합니다. '..'는 쓸 수 없습니다"


@pytest.mark.parametrize("node", OWN, ids=[each.label for each in OWN])
def test_a_bound_of_the_api_server_holds_for_drafts(node: Node) -> None:
    for case in bound_cases(node):
        if isinstance(case.spec, Mapping):
            found = judge(SPEC_OF.validate_python(case.spec))
            refused = bool(found.faults or found.missing)
            assert refused or case.refused_at is None, (case, found)
            # A schedule may keep every bound and yet never start.
            assert not refused or case.refused_at or "schedule" in node.path, (case, found)
