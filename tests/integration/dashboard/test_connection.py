"""One stream for a browser, and what is told when it breaks."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Route, expect

from support.dev_process import DevProcess, running_dev
from support.screens import run_sample

from .conftest import Complaints, OpenPage

TABS = 8


def test_eight_tabs_share_one_stream(
    profile: Callable[..., BrowserContext], dev: DevProcess, complaints: Complaints
) -> None:
    # HTTP/1.1 allows six connections: the seventh tab with a stream of its own would hang.
    context = profile()
    tabs = [context.new_page() for _ in range(TABS)]
    for tab in tabs:
        complaints.follow(tab)
        tab.goto(f"{dev.url}/executions")
    with dev.browser() as client:
        uid = run_sample(client)
    for tab in tabs:
        expect(tab.locator(f'a[href="/executions/{uid}"]')).to_contain_text("Succeeded")
        expect(tab.get_by_role("status").filter(has_text="Live")).to_have_count(1)


def test_a_lost_connection_is_said_and_what_was_missed_comes(
    chromium: Browser, tmp_path: Path, complaints: Complaints
) -> None:
    with running_dev(tmp_path) as dev:
        page = chromium.new_context(locale="en-US").new_page()
        complaints.follow(page)
        page.goto(f"{dev.url}/executions")
        bar = page.get_by_role("region", name="What is going on")
        expect(bar).to_contain_text("Live")
        dev.end()
        expect(bar).to_contain_text(re.compile("Connection lost .* reconnecting"))
        dev.start()
        with dev.browser() as client:
            uid = run_sample(client)
        expect(bar).to_contain_text("Live", timeout=40_000)
        expect(page.locator(f'a[href="/executions/{uid}"]')).to_contain_text("Succeeded")
        page.context.close()


def test_a_browser_without_shared_workers_has_its_own_stream(
    profile: Callable[..., BrowserContext], dev: DevProcess, complaints: Complaints
) -> None:
    context = profile()
    context.add_init_script("delete window.SharedWorker")
    page = context.new_page()
    complaints.follow(page)
    page.goto(f"{dev.url}/executions")
    expect(page.get_by_role("region", name="What is going on")).to_contain_text("Live")
    with dev.browser() as client:
        uid = run_sample(client)
    expect(page.locator(f'a[href="/executions/{uid}"]')).to_contain_text("Succeeded")


def test_a_browser_that_cannot_fetch_the_shared_part_has_its_own_stream(
    profile: Callable[..., BrowserContext], dev: DevProcess, complaints: Complaints
) -> None:
    context = profile()
    context.add_init_script(
        """window.SharedWorker = class extends SharedWorker {
            constructor(address, options) { super(`${address}.gone.js`, options); }
        };"""
    )
    page = context.new_page()
    complaints.follow(page)
    page.goto(f"{dev.url}/settings")
    bar = page.get_by_role("region", name="What is going on")
    expect(bar).to_contain_text("Live")


def test_a_browser_without_an_internet_reads_from_the_server_that_it_reaches(
    open_page: OpenPage,
) -> None:
    page = open_page("/settings")
    expect(page.get_by_role("region", name="What is going on")).to_contain_text("Live")
    page.evaluate("dispatchEvent(new Event('offline'))")
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_role("button", name="Export CSV")).to_be_enabled()


def test_a_page_asked_for_while_the_server_is_away_comes_when_it_is_back(
    chromium: Browser, tmp_path: Path
) -> None:
    with running_dev(tmp_path) as dev:
        page = chromium.new_context(locale="en-US").new_page()
        page.goto(dev.url)
        bar = page.get_by_role("region", name="What is going on")
        expect(bar).to_contain_text("Live")
        dev.end()
        with page.expect_event("requestfailed", lambda request: "/assets/" in request.url):
            page.get_by_role("link", name="Usage", exact=True).click()
        expect(page.locator("main").get_by_label("Loading")).to_be_visible()
        dev.start()
        expect(page.get_by_role("heading", level=1, name="Usage")).to_be_visible()
        page.context.close()


def test_a_page_that_an_upgrade_left_behind_begins_again(open_page: OpenPage) -> None:
    page = open_page("/settings")
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))

    def gone(route: Route) -> None:
        if loads:
            route.continue_()
        else:
            route.fulfill(status=404, body="no such file")

    page.route("**/assets/UsagePage-*", gone)
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Usage")).to_be_visible()
    assert len(loads) == 1


def test_a_part_that_is_missing_for_good_is_said_and_the_page_does_not_spin(
    profile: Callable[..., BrowserContext], dev: DevProcess
) -> None:
    page = profile().new_page()
    page.goto(f"{dev.url}/settings")
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))
    page.route("**/assets/UsagePage-*", lambda route: route.fulfill(status=404, body=""))
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.locator("main")).to_contain_text("Something went wrong on this page")
    assert len(loads) == 1


def test_a_command_that_nobody_takes_is_said(open_page: OpenPage) -> None:
    page = open_page("/")
    page.route("**/api/samples/*", lambda route: route.abort())
    page.get_by_role("button", name=re.compile("Say hello")).click()
    expect(page.get_by_role("alert")).to_contain_text("The server is not responding")


def test_a_read_that_fails_can_be_tried_again(open_page: OpenPage) -> None:
    page = open_page("/settings")
    page.route("**/api/usage?*", lambda route: route.fulfill(status=404, body="{}"))
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This could not be loaded")
    page.unroute("**/api/usage?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
