"""What two places of the dashboard tell of one thing is the same."""

import csv
import re

import pytest
from playwright.sync_api import Route, expect

from support.dev_agents import run_script
from support.dev_process import DevProcess
from support.screens import follow, until_finished

from .conftest import OpenPage

SCRIPT = {"prompt": "Run.", "runtime": {"command": ["sh", "-c", "echo done"]}}


@pytest.fixture
def tested(dev: DevProcess) -> tuple[str, str]:
    """A draft that was only tested, long before the last runs of all: its id and the test's."""
    with dev.browser() as client:
        asked = {"name": "Tested draft", "spec": SCRIPT}
        agent = client.post("/api/agents", json=asked).json()["agent"]
        uid = client.post(f"/api/agents/{agent}/test", json={}).json()["execution"]
        until_finished(follow(client, 0), uid)
    return agent, uid


def test_the_list_of_agents_and_an_agents_page_tell_of_the_same_runs(
    open_page: OpenPage, dev: DevProcess, tested: tuple[str, str]
) -> None:
    agent, uid = tested
    page = open_page("/settings")

    def others(route: Route) -> None:
        """Of all runs the last page has none of this agent's."""
        if "agentId" in route.request.url:
            route.continue_()
        else:
            route.fulfill(json={"items": [], "next": None})

    page.route("**/api/executions?*", others)
    page.goto(f"{dev.url}/agents")
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Tested draft"))
    expect(row.locator(f'a[href="/executions/{uid}"]')).to_contain_text("Succeeded")
    page.goto(f"{dev.url}/agents/{agent}")
    runs = page.get_by_role("list", name="Runs")
    expect(runs.locator(f'a[href="/executions/{uid}"]')).to_contain_text("Succeeded")


def test_the_only_run_of_an_agent_has_nothing_to_be_compared_with(
    open_page: OpenPage, dev: DevProcess
) -> None:
    uid = run_script(dev, "alone", "echo alone")
    page = open_page(f"/executions/{uid}?tab=compare")
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("There is no other run of this agent")
    expect(panel).not_to_contain_text("Choose a run to compare with")


def test_the_table_of_usage_has_the_figures_of_its_csv(
    open_page: OpenPage, dev: DevProcess
) -> None:
    with dev.browser() as client:
        uid = client.post("/api/samples/hello", json={}).json()["execution"]
        until_finished(follow(client, 0), uid)
    page = open_page("/usage?by=model&range=7d")
    rows = page.get_by_role("region", name="Figures").get_by_role("row")
    head = page.get_by_role("region", name="Figures").get_by_role("columnheader")
    columns = ["Model", "Cost", "Model calls", "Input", "Output", "From cache", "Into cache"]
    expect(head).to_have_text(columns)
    cells = rows.nth(1).get_by_role("cell").all_inner_texts()[-4:]
    with page.expect_download() as kept:
        page.get_by_role("button", name="Export CSV").click()
    with kept.value.path().open(encoding="utf-8-sig", newline="") as file:
        first = next(csv.DictReader(file))
    names = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens")
    figures = [int(first[name]) for name in names]
    assert all(figure < 10_000 for figure in figures)  # those are written out
    assert cells == [f"{figure:,}" for figure in figures]


def test_a_sample_has_the_name_of_its_agent_on_its_card(open_page: OpenPage) -> None:
    page = open_page("/")
    for title, name in (("Say hello", "hello"), ("Turn sales into a report", "sales")):
        card = page.get_by_role("button", name=re.compile(title))
        expect(card.get_by_text(name, exact=True)).to_be_visible()


def test_what_lacks_a_prompt_cannot_be_activated(open_page: OpenPage, dev: DevProcess) -> None:
    with dev.browser() as client:
        agent = client.post("/api/agents", json={"name": "Empty"}).json()["agent"]
    page = open_page(f"/agents/{agent}")
    expect(page.get_by_role("button", name=re.compile("Activate"))).to_be_disabled()
