"""An agent is designed by hand: made, mended, activated, edited by two at once, brought back."""

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from support.access import check_access, check_widths
from support.dev_process import DevProcess
from support.heliostat_program import PROGRAM

from .conftest import OpenPage

FOREIGN = """
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata: {name: foreign, namespace: default}
spec:
  prompt: Made elsewhere.
  runtime: {command: ["true"]}
"""

SHOWN = {"edit": "aside h3", "yaml": "section pre", "history": "ol li"}
"""The tabs of an agent, and what is there once all of it is."""


def make(dev: DevProcess, name: str) -> str:
    """The id of a draft."""
    spec = {
        "prompt": "Say hello.",
        "model": {"name": "scripted/hello"},
        "workspace": {"egress": [{"host": "api.example.com", "ports": [443, 8443]}]},
    }
    with dev.browser() as client:
        answer = client.post("/api/agents", json={"name": name, "spec": spec})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["agent"])


def field(page: Page, label: str) -> Locator:
    return page.get_by_role("textbox", name=label, exact=True)


def save(page: Page) -> None:
    """Saves, and waits until it was read again."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("region", name="Saving")).to_have_count(0)


def test_an_agent_is_made_mended_and_activated(open_page: OpenPage) -> None:
    page = open_page("/agents")
    page.get_by_role("button", name="New agent").click()
    dialog = page.get_by_role("dialog")
    field(page, "Name").fill("Greeter")
    dialog.get_by_role("button", name="Create draft").click()
    expect(page.get_by_role("heading", level=1, name="Greeter")).to_be_visible()
    expect(page.get_by_text("Still needed to activate it: Prompt").first).to_be_visible()

    field(page, "Prompt").fill("Say hello.")
    field(page, "Time limit").fill("soon")
    expect(field(page, "Time limit")).to_have_accessible_description(
        re.compile("could not be understood")
    )
    button = page.get_by_role("button", name="Save", exact=True)
    expect(button).to_be_disabled()
    field(page, "Time limit").fill("1h 30m")
    page.get_by_text("On a schedule", exact=True).click()
    field(page, "Time").fill("09:30")
    times = page.get_by_role("list", name="Next times").get_by_role("listitem")
    expect(times).to_have_count(10)
    expect(times.first).to_contain_text("09:30")
    field(page, "Cost limit").fill("0.5")
    outlook = page.get_by_role("complementary", name="What to expect")
    expect(outlook).to_contain_text("A run stops at about $0.5000 (script).")
    expect(outlook).to_contain_text("any that the network allows")
    page.get_by_role("button", name="Add a host").click()
    field(page, "Host").fill("https://api.example.com")
    expect(field(page, "Host")).to_have_accessible_description(re.compile("must be a domain"))
    field(page, "Host").fill("api.example.com")
    page.get_by_role("combobox", name="Ports").press_sequentially("8443,")
    expect(outlook).to_contain_text("api.example.com 8443")
    save(page)
    expect(page.get_by_text("Still needed")).to_have_count(0)

    page.get_by_role("button", name="Activate", exact=True).click()
    expect(dialog).to_contain_text("No history: it has not run yet.")
    expect(dialog).to_contain_text("1 h 30 min")
    expect(dialog).to_contain_text("every day at 09:30")
    dialog.get_by_role("button", name="Activate it").click()
    expect(page.locator("main").get_by_text("Ready", exact=True)).to_be_visible()
    page.goto(re.sub(r"/agents/.*", "/agents?status=active&q=greet", page.url))
    row = page.get_by_role("listitem").filter(has_text="Greeter")
    expect(row).to_contain_text("09:30")
    row.get_by_role("button", name="More actions for Greeter").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(row).to_have_count(0)


def test_two_edits_of_one_agent_lose_nothing(open_page: OpenPage, dev: DevProcess) -> None:
    agent = make(dev, "Shared")
    mine = open_page(f"/agents/{agent}?tab=edit")
    theirs = open_page(f"/agents/{agent}?tab=edit")
    field(mine, "Prompt").fill("Mine.")
    field(theirs, "Prompt").fill("Theirs.")
    field(theirs, "Description").fill("What they say.")
    save(theirs)

    conflict = mine.get_by_role("region", name="Someone saved revision 2 in the meantime")
    expect(field(mine, "Prompt")).to_have_value("Mine.")
    conflict.get_by_role("button", name="See both").click()
    expect(conflict).to_contain_text("Theirs.")
    conflict.get_by_role("button", name="Keep mine").click()
    expect(field(mine, "Description")).to_have_value("What they say.")
    save(mine)
    expect(field(theirs, "Prompt")).to_have_value("Mine.")

    theirs.get_by_role("tab", name="History").click()
    second = theirs.get_by_role("listitem").filter(has_text="Revision 2")
    second.get_by_role("button", name="What changed").click()
    expect(second.get_by_role("list", name="What changed")).to_contain_text("Theirs.")
    second.get_by_role("button", name="Restore").click()
    expect(theirs.get_by_text("Restored from revision 2")).to_be_visible()
    expect(field(mine, "Prompt")).to_have_value("Theirs.")


def test_what_somebody_saved_meanwhile_is_not_activated_unseen(
    open_page: OpenPage, dev: DevProcess
) -> None:
    agent = make(dev, "Awaited")
    page = open_page(f"/agents/{agent}")
    page.get_by_role("button", name="Activate", exact=True).click()
    dialog = page.get_by_role("dialog")
    activate = dialog.get_by_role("button", name="Activate it")
    expect(activate).to_be_enabled()

    held: list[Route] = []
    page.route("**/api/agents/preview", lambda route: held.append(route))
    with page.expect_request("**/api/agents/preview"):
        theirs = open_page(f"/agents/{agent}?tab=edit")
        field(theirs, "Prompt").fill("Theirs.")
        save(theirs)
    expect(dialog).to_contain_text("Someone saved revision 2 in the meantime")
    expect(dialog).not_to_contain_text("Theirs.")
    expect(activate).to_be_disabled()
    for route in held:
        route.continue_()
    expect(dialog).to_contain_text("Theirs.")
    expect(activate).to_be_enabled()


def test_the_next_times_of_a_page_that_stays_open_are_still_to_come(
    open_page: OpenPage, dev: DevProcess
) -> None:
    page = open_page("/settings")
    page.clock.install()
    page.goto(f"{dev.url}/agents/{make(dev, 'Punctual')}?tab=edit")
    page.get_by_text("On a schedule", exact=True).click()
    times = page.get_by_role("list", name="Next times").get_by_role("listitem")
    expect(times).to_have_count(10)

    def later(route: Route) -> None:
        answer = route.fetch()
        preview = answer.json()
        route.fulfill(json={**preview, "fires": preview["fires"][1:]})

    page.route("**/api/schedules/preview", later)
    page.clock.fast_forward("01:01")
    expect(times).to_have_count(9)


def test_what_was_not_saved_is_asked_about_and_kept(open_page: OpenPage, dev: DevProcess) -> None:
    page = open_page(f"/agents/{make(dev, 'Kept')}?tab=edit")
    field(page, "Prompt").fill("Not saved yet.")
    page.get_by_role("link", name="Runs").click()
    page.get_by_role("button", name="Stay").click()
    expect(field(page, "Prompt")).to_have_value("Not saved yet.")
    page.get_by_role("link", name="Runs").click()
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", level=1, name="Runs")).to_be_visible()
    page.go_back()
    expect(field(page, "Prompt")).to_have_value("Not saved yet.")
    expect(page.get_by_text("Your unsaved changes were restored")).to_be_visible()


def test_an_agent_is_edited_as_yaml(open_page: OpenPage, dev: DevProcess) -> None:
    page = open_page(f"/agents/{make(dev, 'Text')}?tab=yaml")
    page.get_by_role("button", name="Edit as YAML").click()
    text = page.get_by_role("textbox", name="YAML of this agent")
    before = text.input_value()
    text.fill(before + "  promt: x\n")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("spec.promt: there is no such field")
    text.fill(before.replace("Say hello.", "Say it in YAML."))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("region", name="YAML of this agent")).to_contain_text("Say it in YAML.")
    page.get_by_role("tab", name="Edit").click()
    expect(field(page, "Prompt")).to_have_value("Say it in YAML.")


def test_what_the_server_refuses_is_said_in_the_chosen_language(
    open_page: OpenPage, dev: DevProcess
) -> None:
    page = open_page("/settings")
    page.get_by_text("한국어").click()
    page.goto(f"{dev.url}/agents/{make(dev, 'Language')}?tab=yaml")
    page.get_by_role("button", name="YAML로 편집").click()
    text = page.get_by_role("textbox", name="이 에이전트의 YAML")
    text.fill(text.input_value() + "  promt: x\n")
    page.get_by_role("button", name="저장", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("spec.promt: 없는 항목입니다")


def test_an_agent_of_kubectl_is_looked_at_and_copied(
    open_page: OpenPage, dev: DevProcess, tmp_path: Path
) -> None:
    manifest = tmp_path / "foreign.yaml"
    manifest.write_text(FOREIGN)
    environ = {**dev.environ, "HELIOSTAT_HOME": str(dev.folder)}
    subprocess.run([PROGRAM, "apply", "-f", manifest], env=environ, check=True, capture_output=True)
    page = open_page("/agents")
    page.get_by_role("link", name="foreign").click()
    page.get_by_role("tab", name="Definition").click()
    expect(field(page, "Prompt")).to_have_value("Made elsewhere.")
    expect(field(page, "Prompt")).not_to_be_editable()
    page.get_by_role("button", name="More actions for foreign").click()
    page.get_by_role("menuitem", name="Duplicate").click()
    expect(page.get_by_role("heading", level=1, name="foreign (copy)")).to_be_visible()
    expect(field(page, "Prompt")).to_be_editable()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-US"), ("dark", "ko-KR")])
def test_every_tab_is_open_to_everybody(
    open_page: OpenPage, dev: DevProcess, scheme: str, locale: str
) -> None:
    agent = make(dev, f"Open {scheme}")
    page = open_page(f"/agents/{agent}", scheme=scheme, locale=locale)
    for tab in SHOWN:
        page.goto(f"{dev.url}/agents/{agent}?tab={tab}")
        expect(page.locator(SHOWN[tab]).first).to_be_visible()
        check_access(page)
        check_widths(page)
