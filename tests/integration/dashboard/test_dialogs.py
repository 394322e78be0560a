"""Dialogs, and what a page says of a run that waits or was tried twice."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from support.access import check_access, check_open_to_everybody
from support.dev_process import DevProcess
from support.screens import follow, run_sample, until_finished

from .conftest import OpenPage

IMPORTED = """\
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata: {name: imported}
spec:
  prompt: Came from a file.
"""


@pytest.fixture(scope="module")
def ran(dev: DevProcess) -> str:
    """A run that ended."""
    with dev.browser() as client:
        events = follow(client)
        uid = run_sample(client)
        until_finished(events, uid)
        events.close()
    return uid


@pytest.fixture(scope="module")
def draft(dev: DevProcess) -> str:
    with dev.browser() as client:
        order = {"name": "Teller", "spec": {"prompt": "x", "schedule": {"frequency": "daily"}}}
        return str(client.post("/api/agents", json=order).json()["agent"])


def open_new(page: Page) -> None:
    page.get_by_role("button", name="New agent").click()


def open_import(page: Page) -> None:
    page.get_by_role("button", name="Import YAML").click()


def open_activate(page: Page) -> None:
    page.get_by_role("button", name="Activate", exact=True).click()


def open_delete(page: Page) -> None:
    page.get_by_role("button", name="More actions for Teller").click()
    page.get_by_role("menuitem", name="Delete").click()


def leave_unsaved(page: Page) -> None:
    page.get_by_role("tab", name="Edit").click()
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Not saved.")
    page.get_by_role("link", name="Usage").click()


@pytest.mark.parametrize(
    ("path", "open_dialog"),
    [
        ("/agents", open_new),
        ("/agents", open_import),
        ("/agents/DRAFT", open_activate),
        ("/agents/DRAFT", open_delete),
        ("/agents/DRAFT", leave_unsaved),
    ],
)
def test_a_dialog_is_open_to_everybody_and_escape_leaves_it(
    open_page: OpenPage, draft: str, path: str, open_dialog: Callable[[Page], None]
) -> None:
    page = open_page(path.replace("DRAFT", draft))
    open_dialog(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Loading")).to_have_count(0)
    assert page.evaluate("document.querySelector('[role=dialog]').contains(document.activeElement)")
    check_open_to_everybody(page, "[role=dialog]")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_newcomer_is_open_to_everybody(
    open_page: OpenPage, dev: DevProcess, scheme: str
) -> None:
    page = open_page("/settings", scheme=scheme)
    nothing: dict[str, object] = {"items": [], "next": None}
    page.route(re.compile("/api/(agents|executions)"), lambda route: route.fulfill(json=nothing))
    page.goto(f"{dev.url}/")
    expect(page.get_by_role("heading", level=1, name="Put an agent to work")).to_be_visible()
    examples = page.get_by_role("main").get_by_role("list").first.get_by_role("button")
    expect(examples).to_have_count(6)
    check_access(page)


def test_a_file_of_kubectl_becomes_a_draft_and_a_wrong_one_is_refused(open_page: OpenPage) -> None:
    page = open_page("/agents")
    open_import(page)
    text = page.get_by_role("textbox", name="YAML of an Agent")
    text.fill(IMPORTED + "  promt: x\n")
    page.get_by_role("button", name="Create draft").click()
    expect(page.get_by_role("alert")).to_contain_text("spec.promt: there is no such field")
    file = {"name": "agent.yaml", "mimeType": "text/yaml", "buffer": IMPORTED.encode()}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(text).to_have_value(IMPORTED)
    page.get_by_role("button", name="Create draft").click()
    expect(page.get_by_role("heading", level=1, name="imported")).to_be_visible()


OTHER = "11111111-1111-4111-8111-111111111111"


def open_altered(page: Page, uid: str, **fields: object) -> None:
    """The page of a run like that one, of which no stream tells."""

    def answer(route: Route) -> None:
        answered = route.fetch(url=route.request.url.replace(OTHER, uid))
        if route.request.url.endswith(OTHER):
            route.fulfill(json={**answered.json(), **fields, "id": OTHER})
        else:
            route.fulfill(response=answered)

    page.route(re.compile(f"/api/executions/{OTHER}"), answer)
    page.goto(page.url.replace("/settings", f"/executions/{OTHER}"))


def test_a_run_that_waits_says_why_and_until_when(open_page: OpenPage, ran: str) -> None:
    page = open_page("/settings")
    waits = [
        {
            "reason": "AgentConcurrency",
            "message": "The agent runs once already.",
            "since": "2026-11-22T12:00:00Z",
            "estimatedTime": "2026-11-22T12:34:00Z",
        },
        {
            "reason": "GatewayUnreachable",
            "message": "It does not answer.",
            "since": "2026-11-22T12:00:00Z",
            "estimatedTime": None,
        },
    ]
    open_altered(page, ran, phase="Pending", isFinished=False, blockedBy=waits, attempts=[])
    said = page.get_by_role("region", name="Why it is not running yet")
    expect(said).to_contain_text(re.compile(r"expected .*12:34"))
    expect(said).to_contain_text("Gateway unreachable")
    expect(said).to_contain_text("no estimate yet")
    check_access(page)


def test_each_attempt_says_why_it_ended_and_is_looked_at(open_page: OpenPage, ran: str) -> None:
    page = open_page("/settings")
    first = {
        "number": 1,
        "startTime": "2026-11-22T12:00:00Z",
        "endTime": "2026-11-22T12:01:05Z",
        "reason": "ProviderFailed",
        "message": "Too much to do.",
        "cause": "infrastructure",
        "costMicros": 1500,
    }
    second = {**first, "number": 2, "reason": "Verified", "message": "", "cause": None}
    open_altered(page, ran, attempts=[first, second])
    attempts = page.get_by_role("region", name="Attempts")
    expect(attempts.get_by_role("listitem")).to_have_count(2)
    one, two = attempts.get_by_role("listitem").all()
    expect(one).to_contain_text("Model provider failed · by infrastructure · $0.0015")
    expect(one).to_contain_text("Too much to do.")
    expect(two).to_contain_text("Verified")
    expect(two.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    one.get_by_role("button").click()
    expect(one.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    check_access(page)
