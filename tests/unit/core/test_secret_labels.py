"""Labels that say who may have a secret."""

import pytest

from heliostat_core.secret_labels import is_for_agents, is_for_gateway, namespaces_of


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({}, set()),
        ({"heliostat-namespaces": ""}, set()),
        ({"heliostat-namespaces": "sales"}, {"sales"}),
        ({"heliostat-namespaces": "sales_team-b"}, {"sales", "team-b"}),
        ({"heliostat-namespaces": "a", "heliostat-namespaces-2": "b_c"}, {"a", "b", "c"}),
        ({"heliostat-namespaces-of-old": "a", "namespaces": "b"}, set()),
    ],
)
def test_an_underscore_stands_between_two_namespaces(
    labels: dict[str, str], names: set[str]
) -> None:
    assert namespaces_of(labels) == names


@pytest.mark.parametrize(
    ("use", "agents", "gateway"),
    [
        (None, True, False),
        ("agents", True, False),
        ("gateway", False, True),
        ("gatway", False, False),
    ],
)
def test_a_use_that_nobody_knows_keeps_a_secret_from_everybody(
    use: str | None, agents: bool, gateway: bool
) -> None:
    labels = {} if use is None else {"heliostat-use": use}
    assert (is_for_agents(labels), is_for_gateway(labels)) == (agents, gateway)
