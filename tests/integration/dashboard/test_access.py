"""Open to everybody: keyboard, screen reader, small and large windows, both languages."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from support.access import check_access, check_widths
from support.dev_process import DevProcess
from support.screens import follow, run_sample, until_finished

from .conftest import OpenPage

FIRST_LOAD_BYTES = 300_000
PAGES = ("/", "/executions", "/executions/RUN", "/agents", "/agents/AGENT", "/settings")


@pytest.fixture(scope="module")
def places(dev: DevProcess) -> dict[str, str]:
    """The pages of a server where something has run: one success, one failure."""
    with dev.browser() as client:
        events = follow(client)
        until_finished(events, run_sample(client))
        uid = run_sample(client, "hurried")
        until_finished(events, uid)
        events.close()
        agent = client.get("/api/agents").json()["items"][0]["id"]
    return {path: path.replace("RUN", uid).replace("AGENT", agent) for path in PAGES}


def settle(page: Page) -> None:
    """Until the page has its heading and nothing is being loaded."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label("Loading")).to_have_count(0)
    expect(page.get_by_label("불러오는 중")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-US"), ("dark", "ko-KR")])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    open_page: OpenPage, places: dict[str, str], path: str, scheme: str, locale: str
) -> None:
    page = open_page(places[path], scheme=scheme, locale=locale)
    settle(page)
    check_access(page)
    check_widths(page)


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_a_lost_connection_is_not_wider_than_the_window(
    profile: Callable[..., BrowserContext], dev: DevProcess, locale: str
) -> None:
    page = profile(locale=locale).new_page()
    page.add_init_script("delete window.SharedWorker")
    page.route("**/agent/reports/stream*", lambda route: route.abort())
    page.clock.install()
    page.goto(f"{dev.url}/settings")
    broken = page.locator('[data-state="broken"]')
    expect(broken.get_by_role("button")).to_be_visible()
    page.clock.fast_forward("59:00")
    expect(broken).to_contain_text("59")
    check_widths(page)
    page.set_viewport_size({"width": 360, "height": 800})
    box = broken.get_by_role("button").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360


@pytest.mark.parametrize(
    ("locale", "title"),
    [("en-US", "You have been away for a long time"), ("ko-KR", "오랫동안 방문하지 않으셨습니다")],
)
def test_a_guest_who_stays_away_is_told_what_will_go(
    profile: Callable[..., BrowserContext], dev: DevProcess, locale: str, title: str
) -> None:
    me = {
        "id": "guest-1",
        "kind": "guest",
        "isAdmin": False,
        "expiresTime": "2026-12-22T12:00:00Z",
        "isExpiring": True,
    }
    page = profile(locale=locale).new_page()
    page.route("**/api/me", lambda route: route.fulfill(json=me))
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{dev.url}/agents")
    expect(page.get_by_role("region", name=title)).to_contain_text("2026")
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    check_access(page)


def test_the_language_is_the_browsers_until_somebody_chooses(open_page: OpenPage) -> None:
    page = open_page("/settings", locale="ko-KR")
    expect(page.get_by_role("heading", level=1, name="설정")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.get_by_text("English").click()
    expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_another_tab_follows_a_choice_at_once(open_page: OpenPage) -> None:
    page = open_page("/settings")
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_text("한국어").click()
    expect(other.get_by_role("heading", level=1, name="설정")).to_be_visible()


def test_a_dark_page_is_dark_from_its_first_moment(open_page: OpenPage) -> None:
    page = open_page("/settings")
    page.get_by_text("Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    page.route("**/assets/*.js", lambda route: route.abort())
    page.reload(wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_instants_are_in_the_zone_that_was_chosen(
    open_page: OpenPage, places: dict[str, str]
) -> None:
    page = open_page("/settings", zone="UTC")
    zone = page.get_by_role("combobox", name="Time zone")
    zone.fill("Asia/Seoul")
    page.get_by_role("option", name="Asia/Seoul").click()
    page.goto(page.url.replace("/settings", places["/executions/RUN"]))
    shown = page.locator("time").first
    created = shown.get_attribute("datetime")
    assert created is not None
    expect(shown).to_have_attribute(
        "title",
        page.evaluate(
            "(time) => new Intl.DateTimeFormat('en', {dateStyle: 'medium', timeStyle: 'medium',"
            " hourCycle: 'h23', timeZone: 'Asia/Seoul'}).format(new Date(time))",
            created,
        ),
    )


def test_everything_is_reached_with_the_keyboard(open_page: OpenPage) -> None:
    page = open_page("/")
    settle(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    hello = page.get_by_role("button", name=re.compile("Say hello"))
    for _ in range(60):
        if hello.evaluate("(it) => it === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/executions/*")


def test_a_new_page_begins_with_itself(open_page: OpenPage) -> None:
    page = open_page("/")
    settle(page)
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("main")).to_be_focused()


def test_the_first_load_is_small(open_page: OpenPage) -> None:
    page = open_page("/settings")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    kinds: dict[str, str] = {}
    sizes: list[int] = []
    session.on(
        "Network.responseReceived",
        lambda event: kinds.update({event["requestId"]: event["type"]}),
    )
    session.on(
        "Network.loadingFinished",
        lambda event: (
            sizes.append(event["encodedDataLength"])
            if kinds.get(event["requestId"]) in ("Script", "Stylesheet")
            else None
        ),
    )
    page.goto(page.url.replace("/settings", "/"))
    settle(page)
    expect(page.get_by_role("region", name="What is going on")).to_contain_text("Live")
    assert len(sizes) > 3
    assert sum(sizes) <= FIRST_LOAD_BYTES
