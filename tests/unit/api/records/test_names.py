"""Names of resources."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.records.names import new_agent_id, resource_name, slug, trial_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Sales report", "sales-report"),
        ("  Ünïcode & more!  ", "unicode-more"),
        ("매출 보고", "agent"),
        ("매출 Q3", "q3"),
        ("---", "agent"),
        ("x" * 100, "x" * 40),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_a_slug_is_what_a_resource_may_be_called(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text(max_size=120), st.from_regex(r"agent-[0-9a-f]{24}", fullmatch=True))
def test_every_name_gives_a_name_that_kubernetes_takes(name: str, agent: str) -> None:
    for made in (resource_name(name, agent), trial_name(name, "abcd1234")):
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", made)
        assert len(made) <= 63
    assert resource_name(name, agent).endswith(agent[6:16])


def test_ids_are_96_random_bits() -> None:
    assert re.fullmatch(r"agent-[0-9a-f]{24}", new_agent_id())
    assert len({new_agent_id() for _ in range(100)}) == 100
