"""From an example's card to its result, as a person sees it."""

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, Route, expect

from support.dev_agents import apply_script
from support.dev_process import DevProcess

from .conftest import OpenPage


def start_example(page: Page, title: str) -> str:
    """The run's id."""
    page.get_by_role("button", name=re.compile(title)).click()
    page.wait_for_url("**/executions/*")
    return page.url.rpartition("/")[2]


def heading(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", level=1, name=text)).to_be_visible()


@pytest.fixture
def sleeper(dev: DevProcess) -> None:
    """Its run outlives every wait of a test."""
    apply_script(dev, "sleeper", "echo lying down; exec sleep 600")


def test_a_newcomer_is_one_press_away_from_a_verified_result(open_page: OpenPage) -> None:
    page = open_page("/")
    heading(page, "Put an agent to work")
    start_example(page, "Say hello")
    heading(page, "hello")
    expect(page.get_by_text("Hello from the scripted provider.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Write hello.txt"))).to_be_visible()
    expect(page.locator("main").get_by_text("Succeeded", exact=True)).to_be_visible()
    expect(page.get_by_label("Facts")).to_contain_text("$0.0056")
    expect(page).to_have_title(re.compile("hello · Succeeded · Heliostat"))


def test_what_a_run_made_is_there_to_see_and_to_keep(open_page: OpenPage) -> None:
    page = open_page("/")
    start_example(page, "Turn sales into a report")
    expect(page.locator("main").get_by_text("Succeeded", exact=True)).to_be_visible()
    picture = page.get_by_role("img", name="chart.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_role("link", name="report.md").click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open in a new tab").click()
    expect(opened.value.locator("body")).to_contain_text("| Total | 38531.30 |")


def test_a_call_opens_to_what_went_in_and_what_came_out(open_page: OpenPage) -> None:
    page = open_page("/")
    start_example(page, "Say hello")
    call = page.get_by_role("button", name=re.compile("Write hello.txt"))
    expect(call).to_have_attribute("aria-expanded", "false")
    call.click()
    expect(page.get_by_text("File created successfully")).to_be_visible()


def test_a_list_that_is_open_shows_what_another_page_started(open_page: OpenPage) -> None:
    watcher = open_page("/executions")
    heading(watcher, "Runs")
    actor = open_page("/")
    uid = start_example(actor, "Say hello")
    row = watcher.locator(f'a[href="/executions/{uid}"]')
    expect(row).to_contain_text("hello")
    expect(row).to_contain_text("Succeeded")
    expect(row).to_contain_text("Hello from the scripted provider.")


def test_a_failure_counts_in_the_title_until_somebody_looked(open_page: OpenPage) -> None:
    page = open_page("/")
    watcher = page.context.new_page()
    watcher.goto(page.url)
    uid = start_example(page, "Catch a wrong answer")
    page.goto(page.url.partition("/executions")[0] + "/settings")
    expect(page).to_have_title(re.compile("Settings"))
    page.evaluate("localStorage.setItem('heliostat.seenRuns', '')")
    watcher.reload()
    expect(watcher).to_have_title("(1) Heliostat")
    attention = watcher.get_by_role("region", name="Failed, paused or missed since your last visit")
    expect(attention.locator(f'a[href="/executions/{uid}"]')).to_contain_text("Verification failed")
    attention.get_by_role("link").click()
    expect(watcher.get_by_role("region", name="Verification failed")).to_contain_text(
        "the sales add up to"
    )
    expect(watcher).to_have_title(re.compile("^hurried · Failed"))


SAID_IN = {
    "en-US": (
        "(3) Heliostat",
        "Failed, paused or missed since your last visit",
        "Too many of its runs failed in a row.",
        "missed runs are not caught up",
        "once a run that you start yourself succeeds",
    ),
    "ko-KR": (
        "(3) Heliostat",
        "지난 방문 이후 실패, 일시 정지, 누락",
        "일정에 따른 실행이 연이어 실패했습니다.",
        "보충하지 않는 설정임",
        "직접 시작한 실행이 성공하면",
    ),
}


@pytest.mark.usefixtures("sleeper")
@pytest.mark.parametrize("locale", SAID_IN)
def test_a_pause_and_misses_stand_first_and_count_in_the_title(
    open_page: OpenPage, locale: str
) -> None:
    """What the operator says of schedules is its tests'; here it is only shown, in no English."""
    title, heading, pause, miss, remedy = SAID_IN[locale]
    page = open_page("/settings", locale=locale)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    missed = {
        "scheduledTime": later.isoformat(),
        "lastTime": None,
        "count": 1,
        "outcome": "Missed",
        "reason": "NotCaughtUp",
        "message": "words of the operator",
        "time": later.isoformat(),
        "execution": None,
        "result": None,
    }
    grown = missed | {
        "scheduledTime": (later - dt.timedelta(days=1)).isoformat(),
        "lastTime": (later - dt.timedelta(hours=5)).isoformat(),
        "count": 3,
    }
    paused = {"time": later.isoformat(), "reason": "Failures", "message": "say `heliostat resume`"}
    news = {
        "schedulePaused": paused,
        "scheduleMissed": [missed, grown],
        "scheduleRecent": [missed, grown],
        "scheduleZone": "Asia/Tokyo",
        "nextTime": later.isoformat(),
    }

    def tell(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        for agent in told.get("items", [told]):
            if agent["name"] == "sleeper":
                agent.update(news)
        route.fulfill(response=answer, json=told)

    page.route(re.compile("/api/agents([/?]|$)"), tell)
    page.add_init_script("delete window.SharedWorker")
    page.route("**/agent/reports/stream*", lambda route: route.abort())  # it knows better
    page.goto(page.url.replace("/settings", "/"))
    expect(page).to_have_title(title)
    attention = page.get_by_role("region", name=heading)
    expect(attention).to_contain_text(pause)
    expect(attention.get_by_text(miss)).to_have_count(2)
    expect(attention).to_contain_text("Asia/Tokyo")
    expect(attention).not_to_contain_text("words of the operator")
    expect(attention).not_to_contain_text("heliostat resume")
    attention.get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text(remedy)
    expect(page.locator("main")).to_contain_text(miss)
    expect(page.locator("main")).not_to_contain_text("words of the operator")
    expect(page.locator("main")).to_contain_text("Asia/Tokyo")
    page.goto(page.url.partition("/agents")[0] + "/agents")
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="sleeper"))
    expect(row).to_contain_text("Asia/Tokyo")


@pytest.mark.usefixtures("sleeper")
def test_an_agent_of_kubectl_is_run_here_and_stopped(open_page: OpenPage) -> None:
    page = open_page("/agents")
    page.get_by_role("link", name=re.compile("sleeper")).click()
    heading(page, "sleeper")
    expect(page.get_by_text("It was created with kubectl")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url("**/executions/*")
    expect(page.get_by_text("lying down")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator("main").get_by_text("Cancelled").first).to_be_visible()
    expect(page.get_by_role("button", name="Run again")).to_be_enabled()


@pytest.mark.usefixtures("sleeper")
def test_what_runs_is_on_the_first_page_however_much_came_after_it(
    open_page: OpenPage, dev: DevProcess
) -> None:
    page = open_page("/agents")
    page.get_by_role("link", name=re.compile("sleeper")).click()
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url("**/executions/*")
    uid = page.url.rpartition("/")[2]
    expect(page.get_by_text("lying down")).to_be_visible()

    def newest(route: Route) -> None:
        """A page of the list that ends before that run."""
        answer = route.fetch()
        found = answer.json()
        others = [{**each, "id": f"{each['id']}-later"} for each in found["items"]]
        ended = [{**each, "isFinished": True, "phase": "Succeeded"} for each in others]
        route.fulfill(json={"items": ended, "next": "more"})

    page.route("**/api/executions?*", newest)
    page.goto(f"{dev.url}/")
    running = page.get_by_role("region", name="Running now")
    expect(running.locator(f'a[href="/executions/{uid}"]')).to_be_visible()


def test_a_run_is_repeated_from_its_page(open_page: OpenPage) -> None:
    page = open_page("/")
    first = start_example(page, "Say hello")
    page.get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda url: "/executions/" in url and first not in url)
    expect(page.get_by_text("Hello from the scripted provider.")).to_be_visible()


def test_a_filter_is_in_the_address_and_holds_for_what_comes(open_page: OpenPage) -> None:
    page = open_page("/executions?phase=Cancelled&agent=hello")
    expect(page.get_by_text("No matching runs")).to_be_visible()
    page.get_by_role("button", name="Clear filters").last.click()
    expect(page).to_have_url(re.compile(r"/executions$"))


def test_an_unknown_run_is_said_to_be_missing(open_page: OpenPage) -> None:
    page = open_page("/executions/nothing")
    heading(page, "There is nothing here")
    expect(page.get_by_text("There is no such run")).to_be_visible()


def test_an_unknown_address_leads_back(open_page: OpenPage) -> None:
    page = open_page("/nowhere")
    page.get_by_role("main").get_by_role("link", name="Go to the home page").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))
