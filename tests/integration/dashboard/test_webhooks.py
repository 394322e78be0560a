"""Keys of an agent's trigger and webhooks, made and tried in the dashboard."""

import json
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from support.access import check_open_to_everybody
from support.dev_process import DevProcess
from support.hooks import Receiver, receiving
from support.screens import follow, run_sample, until_finished

from .conftest import OpenPage


@pytest.fixture(scope="module")
def agent(dev: DevProcess) -> str:
    """Id of an agent that fails whenever it runs."""
    with dev.browser() as client:
        events = follow(client)
        until_finished(events, run_sample(client, "hurried"))
        events.close()
        listed = client.get("/api/agents").json()["items"]
    return str(listed[0]["id"])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.mark.parametrize("kind", ["Key in a header", "Signature: GitHub, Standard Webhooks"])
def test_the_command_that_is_shown_starts_the_agent(
    open_page: OpenPage, agent: str, kind: str
) -> None:
    page = open_page(f"/agents/{agent}")
    page.get_by_role("tab", name="Webhooks").click()
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_label("Who uses it").fill("build server")
    page.get_by_role("combobox", name="How callers authenticate").click()
    page.get_by_role("option", name=kind).click()
    page.get_by_role("button", name="Create key").click()
    made = page.get_by_role("region", name="The new key")
    command = made.locator("pre").last.inner_text()
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    run = json.loads(answer.stdout)["execution"]
    again = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["execution"] == run
    secret = made.locator("code").first.inner_text()
    check_open_to_everybody(page)
    made.get_by_role("button", name="Done").click()
    expect(made).to_have_count(0)
    row = page.get_by_role("list", name="Keys of this agent").get_by_role("listitem")
    expect(row).to_contain_text("build server")
    assert secret not in page.content()
    shown = other.get_by_role("list", name="Keys of this agent").get_by_role("listitem")
    expect(shown).to_contain_text("build server")
    row.get_by_role("button", name="Revoke").click()
    row.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("No other program can start it yet")).to_be_visible()
    expect(other.get_by_text("No other program can start it yet")).to_be_visible()
    page.goto(page.url.replace(f"/agents/{agent}?tab=webhooks", f"/executions/{run}"))
    expect(page.get_by_text("Webhook", exact=True)).to_be_visible()


def test_a_webhook_hears_of_a_failure_and_its_page_shows_it(
    open_page: OpenPage, agent: str, receiver: Receiver, dev: DevProcess
) -> None:
    receiver.answers = [500]
    page = open_page("/settings")
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_role("button", name="Create webhook").click()
    made = page.get_by_role("region", name="Signing secret")
    secret = made.locator("code").inner_text()
    made.get_by_role("button", name="Done").click()
    row = page.get_by_role("list", name="Webhooks", exact=True).get_by_role("listitem").first
    row.get_by_role("button", name="Show deliveries").click()
    expect(row).to_contain_text("Nothing was sent yet.")
    with dev.browser() as client:
        client.post(f"/api/agents/{agent}/run", json={}).raise_for_status()
    deliveries = row.get_by_role("list", name="Deliveries")
    expect(deliveries).to_contain_text("500")
    row.get_by_role("button", name="Send again").click()
    expect(deliveries).to_contain_text("Delivered")
    assert len({each.id for each in receiver.received}) == 1
    assert all(each.is_signed_with(secret) for each in receiver.received)
    check_open_to_everybody(page)
    row.get_by_role("button", name="Delete").click()
    row.get_by_role("button", name="Delete").last.click()
    expect(page.get_by_text("Nobody is notified yet")).to_be_visible()


def test_a_secret_that_was_written_in_one_tab_is_in_the_other(open_page: OpenPage) -> None:
    page = open_page("/secrets")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_label("Name").fill("shared")
    page.get_by_label("Key", exact=True).fill("token")
    page.get_by_label("Value", exact=True).fill("x")
    page.get_by_role("button", name="Save").click()
    expect(other.get_by_role("list", name="Your secrets")).to_contain_text("shared")
