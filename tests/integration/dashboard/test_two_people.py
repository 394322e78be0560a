"""Two people side by side, each in a browser of their own, at one api for many."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import BrowserContext, Page, expect

from support.shared_api import api_app

from .conftest import Complaints


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(api_app(tmp_path)) as api,
        portal.wrap_async_context_manager(api.serving()) as address,
    ):
        yield address


def make_agent(page: Page, name: str) -> str:
    """Its page."""
    page.get_by_role("button", name="New agent").click()
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("dialog").get_by_role("button", name="Create draft").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    return page.url


def test_each_sees_what_is_theirs_as_it_happens_and_nothing_else(
    url: str, profile: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    anns, bens = profile(), profile()
    watching, making, other = anns.new_page(), anns.new_page(), bens.new_page()
    for page in (watching, making, other):
        complaints.follow(page)
        page.goto(f"{url}/agents")
    hers = make_agent(making, "Her report")
    his = make_agent(other, "His report")
    rows = watching.get_by_role("main").get_by_role("listitem")
    expect(rows.filter(has_text="Her report")).to_be_visible()

    other.goto(f"{url}/agents")
    expect(other.get_by_role("main").get_by_text("His report")).to_be_visible()
    assert other.get_by_text("Her report").count() == 0
    assert watching.get_by_text("His report").count() == 0
    for page, foreign in ((making, his), (other, hers)):
        page.goto(foreign)
        expect(page.get_by_text("There is no such agent, or it belongs to")).to_be_visible()
        assert page.get_by_text(re.compile("(Her|His) report")).count() == 0


def test_nothing_is_left_on_the_page_of_who_deletes_all_of_theirs(
    url: str, profile: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    page = profile().new_page()
    complaints.follow(page)
    page.goto(f"{url}/agents")
    make_agent(page, "Her report")
    page.get_by_role("link", name="Agents").first.click()
    expect(page.get_by_role("main").get_by_text("Her report")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Delete all my data").click()
    page.get_by_label("Type delete all to confirm").fill("delete all")
    page.get_by_role("button", name="Delete everything").click()
    bar = page.get_by_role("region", name="What is going on")
    expect(bar).to_contain_text("Your session has ended")
    expect(page.get_by_text("All your data is being deleted")).to_be_visible()

    page.get_by_role("link", name="Agents", exact=True).click()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("session has ended")
    expect(page.get_by_text("Her report")).to_have_count(0)
    bar.get_by_role("button", name="Reload the page").click()
    expect(bar).to_contain_text("Live")
    expect(page.get_by_role("button", name="New agent")).to_be_visible()
    expect(page.get_by_text("Her report")).to_have_count(0)


def test_an_agent_that_is_deleted_in_another_tab_leaves_its_page(
    url: str, profile: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    context = profile()
    page, other = context.new_page(), context.new_page()
    for each in (page, other):
        complaints.follow(each)
        each.goto(f"{url}/agents")
    other.goto(make_agent(page, "Her report"))
    expect(other.get_by_role("heading", level=1, name="Her report")).to_be_visible()
    page.get_by_role("button", name="More actions for Her report").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(other.get_by_text("There is no such agent, or it belongs to")).to_be_visible()
    expect(other.get_by_role("main").get_by_text("Her report")).to_have_count(0)
