"""The pages as docs/images shows them, with what a few runs leave there.

Beside each picture stand the words that assistive technology read on it. Another font changes
neither those nor where things are; other words or another layout fail here, and want a new picture.
`UPDATE_SCREENSHOTS=1` writes both to docs/images; look at each picture before you commit it.
"""

import os
import re
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.dev_agents import apply_script
from support.dev_process import DevProcess, running_dev
from support.pictures import other_cells, other_words, read_picture, read_words
from support.screens import follow, run_sample, until_finished

from .conftest import Complaints

IMAGES = Path(__file__).parents[3] / "docs" / "images"
MOST_BYTES = 200_000
MOST_OTHER_CELLS = 0.10  # the same page again: 0.03; another page: 0.13 and more
MOST_OTHER_WORDS = 0.05  # the same page again: 0.012; another page: 0.5 and more


def test_pages_look_as_they_are_shown_in_the_docs(
    chromium: Browser,
    profile: Callable[..., BrowserContext],
    complaints: Complaints,
    tmp_path: Path,
) -> None:
    del chromium
    with running_dev(tmp_path) as dev:
        browser = profile(1440, 900, zone="Asia/Seoul")
        page, blank = browser.new_page(), browser.new_page()
        complaints.follow(page)
        unlike: list[str] = []

        def take(name: str, path: str = "") -> None:
            if path:
                page.goto(dev.url + path)
            settle(page)
            taken = page.screenshot(animations="disabled")
            assert len(taken) < MOST_BYTES
            unlike.extend(compare(blank, f"dashboard-{name}", taken, read_words(page)))

        take("newcomer", "/")
        agent = design(page, "Weekly report")
        take("chat")
        sales = use(dev)
        take("home", "/")
        take("agent", agent)
        take("run", f"/executions/{sales}")
        take("runs", "/executions")
        take("usage", "/usage?by=agent&range=7d")
    assert unlike == [], "look at the pages, then take them again with UPDATE_SCREENSHOTS=1"


def compare(blank: Page, name: str, taken: bytes, words: list[str]) -> list[str]:
    """What differs from docs/images, which gets it with UPDATE_SCREENSHOTS."""
    picture, text = IMAGES / f"{name}.png", IMAGES / f"{name}.yaml"
    if os.environ.get("UPDATE_SCREENSHOTS"):
        picture.write_bytes(taken)
        text.write_text("\n".join(words) + "\n")
    shown = text.read_text().splitlines()
    cells = other_cells(read_picture(blank, picture.read_bytes()), read_picture(blank, taken))
    share = other_words(shown, words)
    found = []
    if cells > MOST_OTHER_CELLS:
        found.append(f"{name}.png: {cells:.0%} of the picture looks otherwise")
    if share > MOST_OTHER_WORDS:
        lines = unified_diff(shown, words, "docs", "page", lineterm="", n=0)
        found.append("\n".join([f"{name}.yaml: {share:.0%} of the lines differ", *lines]))
    return found


def settle(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label("Loading")).to_have_count(0)
    expect(page.get_by_role("region", name="What is going on")).to_contain_text("Live")
    expect(page.locator("figure:not(:has(canvas))")).to_have_count(0)
    page.evaluate("() => Promise.all([...document.images].map(image => image.decode()))")
    page.evaluate("() => document.fonts.ready.then(() => true)")


def design(page: Page, request: str) -> str:
    """An agent, by talking, put to work; the path of its page."""
    page.get_by_role("button", name=re.compile(request)).click()
    page.wait_for_url("**/chat/*")
    card = page.get_by_role("region", name="Agent", exact=True)
    expect(card).to_contain_text("on average")
    expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    card.get_by_role("button", name="Activate").click()
    page.get_by_role("button", name="Activate it").click()
    expect(card.get_by_text("Ready")).to_be_visible()
    return str(card.get_by_role("link", name="Open", exact=True).get_attribute("href"))


def use(dev: DevProcess) -> str:
    """Runs that went well, one that did not, one that goes on; the uid of a good one."""
    with dev.browser() as client:
        events = follow(client)
        uids = [run_sample(client, name) for name in ("sales", "hello", "hurried", "sales")]
        for uid in uids:
            until_finished(follow(client, 0), uid)
        for agent in client.get("/api/agents").json()["items"]:
            if agent["name"] == "Weekly report":
                answer = client.post(f"/api/agents/{agent['id']}/run", json={})
                until_finished(follow(client, 0), answer.json()["execution"])
        apply_script(dev, "nightly-backup", "echo copying; exec sleep 120")
        for agent in client.get("/api/agents").json()["items"]:
            if agent["name"] == "nightly-backup":
                client.post(f"/api/agents/{agent['id']}/run", json={}).raise_for_status()
        events.close()
    return uids[-1]
