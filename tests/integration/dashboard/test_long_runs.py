"""Runs of thousands of steps, and pages that are open for long: their cost stays what it was."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from support.dev_process import DevProcess

from .conftest import WAIT_MS, Complaints
from .fake_run import ENDED, FakeRun, answer, call, output, view
from .traces import Trace, traced

CALLS = 5000
MOST_ELEMENTS = 5000
MOST_MS = 100
LINES_A_REPORT = 40
REPORTS_A_MINUTE = 30
"""20 lines a second."""
MINUTES = 60
FEED = """([first, reports, lines]) => new Promise(done => {
    let at = first;
    const end = first + reports * lines;
    const next = () => {
        if (at === end) return done();
        const events = Array.from({ length: lines }, (_, n) => ({
            type: "heliostat", subtype: "output", stream: "stdout",
            text: `line ${at + n} of the output, as long as lines of a build mostly are`,
        }));
        tell("execution.output", { attempt: 1, first: at, events });
        at += lines;
        requestAnimationFrame(next);
    };
    next();
})"""

IN_SIGHT = """text => {
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const at = node.data.indexOf(text);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + text.length);
        const { top, bottom } = range.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
    }
    return false;
}"""
"""Whether the letters themselves are in the window, not only a part of a block that has them."""

Profile = Callable[..., BrowserContext]


@pytest.fixture
def blank(profile: Profile, complaints: Complaints) -> Page:
    page = profile().new_page()
    complaints.follow(page)
    return page


def elements(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


def until_in_sight(page: Page, text: str) -> None:
    page.wait_for_function(IN_SIGHT, arg=text)


def is_in_sight(page: Page, text: str) -> bool:
    return bool(page.evaluate(IN_SIGHT, text))


def calls(count: int) -> list[dict[str, object]]:
    return [event for number in range(count) for event in (call(number), answer(number))]


def test_a_run_of_5000_calls_is_read_whole_and_drawn_in_part(blank: Page, dev: DevProcess) -> None:
    run = FakeRun(blank, calls(CALLS), view(**ENDED), pages_given=0)
    run.open(dev)
    expect(blank.get_by_role("heading", level=1)).to_be_visible()
    with traced(blank) as trace:
        run.release()
        kinds = blank.get_by_role("group", name="Show steps")
        expect(kinds).to_contain_text(re.compile(r"Tools 5,000$"))
        most = elements(blank)
        height = int(blank.evaluate("document.documentElement.scrollHeight"))
        for part in range(1, 21):
            blank.evaluate("top => scrollTo(0, top)", height * part // 20)
            most = max(most, elements(blank))
        blank.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        until_in_sight(blank, f"echo {CALLS - 1}")
    assert blank.get_by_text("did not finish").count() == 0
    assert most <= MOST_ELEMENTS
    assert trace.longest_task_ms() <= MOST_MS
    assert run.pages_read <= 2 * CALLS // 1000 + 1


def test_a_call_whose_result_was_not_read_yet_is_not_said_to_be_cut_off(
    blank: Page, dev: DevProcess
) -> None:
    batch = 1100
    events = [*map(call, range(batch)), *map(answer, range(batch))]
    run = FakeRun(blank, events, view(**ENDED), pages_given=1)
    run.open(dev)
    kinds = blank.get_by_role("group", name="Show steps")
    expect(kinds).to_contain_text(re.compile(r"Tools [\d,]+\+"))
    expect(blank.get_by_role("button", name=re.compile("Bash.*loading")).first).to_be_visible()
    assert blank.get_by_text("did not finish").count() == 0
    run.release()
    expect(kinds).to_contain_text(re.compile(r"Tools 1,100$"))
    expect(blank.get_by_role("button", name=re.compile("Bash.*done")).first).to_be_visible()
    assert blank.get_by_text("did not finish").count() == 0


def test_a_call_that_never_had_a_result_is_said_to_be_cut_off(blank: Page, dev: DevProcess) -> None:
    FakeRun(blank, [call(1), answer(1), call(2)], view(**ENDED)).open(dev)
    expect(blank.get_by_role("button", name=re.compile("echo 2.*did not finish"))).to_be_visible()
    expect(blank.get_by_text("did not finish")).to_have_count(1)


@pytest.mark.parametrize("tab", ["", "?tab=logs"])
def test_an_hour_of_lines_costs_the_same_from_its_first_minute_to_its_last(
    blank: Page, dev: DevProcess, tab: str
) -> None:
    FakeRun(blank).open(dev, tab)
    expect(blank.get_by_text("yet").first).to_be_visible()
    lines = LINES_A_REPORT * REPORTS_A_MINUTE
    minutes: list[Trace] = []
    most = 0

    def feed(begin: int, count: int, reports: int = REPORTS_A_MINUTE) -> None:
        blank.evaluate(FEED, [begin * lines, count * reports, lines // reports])

    feed(0, 1)  # fonts and programs are warm
    for begin, rest in ((1, MINUTES - 3), (MINUTES - 1, 0)):
        with traced(blank) as trace:
            feed(begin, 1)
        minutes.append(trace)
        most = max(most, elements(blank))
        if rest:  # not measured: as many lines, in fewer reports
            feed(begin + 1, rest, 2)
    until_in_sight(blank, f"line {MINUTES * lines - 1} of")
    first, last = minutes
    figures = [
        (each.laid_out(), each.layout_ms(), each.busy_ms(), each.longest_task_ms())
        for each in minutes
    ]
    assert last.laid_out() <= 1.2 * first.laid_out(), figures
    assert last.layout_ms() <= 1.2 * first.layout_ms() + 20, figures
    assert last.longest_task_ms() <= MOST_MS, figures
    assert most <= MOST_ELEMENTS


@pytest.mark.parametrize("tab", ["", "?tab=logs"])
def test_output_follows_the_reader_at_its_end_and_no_other(
    blank: Page, dev: DevProcess, tab: str
) -> None:
    run = FakeRun(blank)
    run.open(dev, tab)
    expect(blank.get_by_text("yet").first).to_be_visible()
    for number in range(0, 600, 60):
        run.tell(*(output(f"line {each}.") for each in range(number, number + 60)))
    until_in_sight(blank, "line 599.")
    blank.mouse.move(600, 400)
    blank.mouse.wheel(0, -3000)
    back = blank.get_by_role("button", name=re.compile("Jump to the newest"))
    expect(back).to_be_visible()
    place = float(blank.evaluate("scrollY"))
    run.tell(*(output(f"line {each}.") for each in range(600, 900)))
    blank.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert not is_in_sight(blank, "line 899.")
    assert float(blank.evaluate("scrollY")) == pytest.approx(place, abs=2)
    back.click()
    until_in_sight(blank, "line 899.")
    expect(back).to_have_count(0)
    run.tell(*(output(f"line {each}.") for each in range(900, 1000)))
    until_in_sight(blank, "line 999.")
    run.change(**ENDED)
    run.tell(*(output(f"line {each}.") for each in range(1000, 1100)))
    until_in_sight(blank, "line 1099.")


def scroll_to(page: Page, number: int) -> Locator:
    """Scrolls to the row of that run, back if it was passed: rows are drawn some frames later, and
    heights of those that were not drawn yet are thought."""
    rows = page.locator('a[href^="/executions/run-"]')
    row = page.locator(f'a[href="/executions/run-{number}"]')
    deadline = time.monotonic() + WAIT_MS / 1000
    while True:
        while row.count() == 0:
            assert time.monotonic() < deadline, page.locator("main").inner_text()[-2000:]
            last = (rows.last.get_attribute("href") or "").rpartition("-")[2]
            # At once: a wheel goes on turning for a while, past the row that was just seen.
            step = 300 if int(last) < number else -300
            page.evaluate(
                f"new Promise((drawn) => (scrollBy(0, {step}), requestAnimationFrame(drawn)))"
            )
        with suppress(PlaywrightTimeoutError):
            row.scroll_into_view_if_needed(timeout=1000)
            return row


def test_back_finds_the_place_in_a_long_list_however_many_pages_were_read(
    blank: Page, dev: DevProcess
) -> None:
    runs = [
        view(**ENDED, id=f"run-{number}", createdTime=f"2026-11-24T{23 - number // 20:02d}:00:00Z")
        for number in range(400)
    ]

    def page_of(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        first = int(query.get("cursor", ["0"])[0])
        end = first + int(query["limit"][0])
        following = str(end) if end < len(runs) else None
        route.fulfill(json={"items": runs[first:end], "next": following})

    def one(route: Route) -> None:
        uid = urlsplit(route.request.url).path.rpartition("/")[2]
        route.fulfill(json=view(**ENDED, id=uid))

    blank.route("**/api/executions?*", page_of)
    blank.route(re.compile(r"/api/executions/run-\d+$"), one)
    blank.goto(f"{dev.url}/executions")
    expect(blank.locator('a[href="/executions/run-0"]')).to_be_visible()
    link = scroll_to(blank, 230)
    place = link.bounding_box()
    assert place is not None
    for reload in (False, True):
        link.click()
        expect(blank.get_by_role("heading", level=1, name="long")).to_be_visible()
        if reload:
            blank.reload()
            expect(blank.get_by_role("heading", level=1, name="long")).to_be_visible()
        blank.go_back()
        expect(link).to_be_in_viewport()
        again = link.bounding_box()
        assert again is not None
        if not reload:  # after that, heights of rows that were not drawn are thought
            assert again["y"] == pytest.approx(place["y"], abs=30)  # half a row
        assert elements(blank) <= MOST_ELEMENTS


def test_the_log_of_a_pod_that_delivers_nothing_is_read_again(blank: Page, dev: DevProcess) -> None:
    run = FakeRun(blank)
    printed = ["first"]

    def answer_log(route: Route) -> None:
        route.fulfill(content_type="text/plain; charset=utf-8", body="\n".join(printed) + "\n")
        printed.append(f"line {len(printed)}")

    blank.route("**/api/executions/*/logs?*", answer_log)
    run.open(dev, "?tab=logs")
    expect(blank.locator("pre")).to_contain_text("first")
    expect(blank.locator("pre")).to_contain_text("line 2")
    run.tell(output("delivered"))
    expect(blank.locator("pre")).to_have_text("delivered")
