"""An endpoints module knows its feature and little else: what it reaches by imports is measured."""

import grimp
import pytest

MOST = 0.25
"""Part of the api's modules that one endpoints module may reach."""


@pytest.fixture(scope="module", name="graph")
def import_graph() -> grimp.ImportGraph:
    return grimp.build_graph("heliostat_api", cache_dir=None)


def test_an_endpoints_module_reaches_less_than_a_quarter_of_the_api(
    graph: grimp.ImportGraph,
) -> None:
    endpoints = {each for each in graph.modules if each.endswith("endpoints")}
    reached = {
        each: len(graph.find_upstream_modules(each)) / len(graph.modules) for each in endpoints
    }
    assert len(endpoints) > 10
    assert {each: part for each, part in reached.items() if part >= MOST} == {}
