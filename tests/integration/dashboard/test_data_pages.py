"""A run in depth, and what belongs to the person: usage, keys, secrets, settings."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, Request, Route, expect

from support.access import check_open_to_everybody
from support.dev_agents import run_script
from support.dev_process import DevProcess
from support.screens import follow, run_sample, until_finished

from .conftest import OpenPage


@dataclass(frozen=True)
class Ran:
    """Two runs of one agent that made files, and one that failed."""

    sales: str
    again: str
    failed: str


@pytest.fixture(scope="module")
def ran(dev: DevProcess) -> Ran:
    with dev.browser() as client:
        events = follow(client)
        uids = [run_sample(client, name) for name in ("sales", "sales", "hurried")]
        for uid in uids:
            until_finished(follow(client, 0), uid)
        events.close()
    return Ran(*uids)


def settle(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for label in ("Loading", "불러오는 중"):
        expect(page.get_by_label(label)).to_have_count(0)


ADDRESSES = {
    "/usage": "ko-KR",
    "/keys": "en-US",
    "/secrets": "ko-KR",
    "/executions/RUN?tab=files": "en-US",
    "/executions/RUN?tab=compare&with=OTHER": "ko-KR",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_is_open_to_everybody(open_page: OpenPage, ran: Ran, address: str) -> None:
    path = address.replace("RUN", ran.sales).replace("OTHER", ran.again)
    page = open_page(path, locale=ADDRESSES[address])
    settle(page)
    check_open_to_everybody(page)


def test_files_are_shown_as_what_they_are(open_page: OpenPage, ran: Ran) -> None:
    page = open_page(f"/executions/{ran.sales}")
    page.get_by_role("link", name="report.md").click()
    document = page.get_by_role("tabpanel")
    expect(document.get_by_role("cell", name="38531.30")).to_be_visible()
    picture = document.get_by_role("img", name="Revenue by region")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    files = page.get_by_role("list", name="Files of this run")
    files.get_by_role("link", name=re.compile("sales.csv")).click()
    table = page.get_by_role("table", name="Table sales.csv")
    expect(table.get_by_role("columnheader")).to_have_count(5)
    expect(table.get_by_role("row")).to_have_count(25)
    files.get_by_role("link", name=re.compile("analyse.py")).click()
    expect(page.get_by_text("This type of file is not shown here")).to_be_visible()
    with page.expect_download() as kept:
        document.get_by_role("link", name="Download").click()
    assert kept.value.suggested_filename == "analyse.py"


@pytest.mark.parametrize("kept", [(), ("small.md",)])
def test_files_that_were_left_out_are_listed(
    open_page: OpenPage, dev: DevProcess, kept: tuple[str, ...]
) -> None:
    small = "".join(f"echo words > {name}; " for name in kept)
    uid = run_script(dev, f"big-{len(kept)}", f"{small}truncate -s 21M huge.bin")
    page = open_page(f"/executions/{uid}?tab=files")
    left = page.get_by_role("region", name="Not kept (1)")
    expect(left.get_by_role("listitem")).to_contain_text("huge.bin 22020096 bytes; a file may have")
    expect(page.get_by_text("No files were kept")).to_have_count(0 if kept else 1)
    check_open_to_everybody(page)
    page.get_by_role("tab", name="Steps").click()
    expect(page.get_by_text("Files that were not kept")).to_contain_text("huge.bin: 22020096")


def test_steps_are_chosen_by_kind(open_page: OpenPage, ran: Ran) -> None:
    page = open_page(f"/executions/{ran.sales}")
    kinds = page.get_by_role("group", name="Show steps")
    kinds.get_by_text("Tools 3").click()
    expect(page.get_by_role("tabpanel").get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_text("Final answer")).to_have_count(0)
    kinds.get_by_text("All").click()
    expect(page.get_by_text("Final answer")).to_be_visible()
    expect(page.get_by_role("region", name="Cost by model")).to_contain_text("$0.1043")


def test_two_runs_stand_side_by_side(open_page: OpenPage, ran: Ran) -> None:
    page = open_page(f"/executions/{ran.sales}")
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("combobox", name="Compare with").click()
    page.get_by_role("option").first.click()
    expect(page).to_have_url(re.compile(f"tab=compare&with={ran.again}"))
    expect(page.get_by_role("region", name="Results").get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("row", name=re.compile("^Cost"))).to_contain_text("±0")
    files = page.get_by_role("region", name="Files of both").get_by_role("listitem")
    expect(files.filter(has_text="chart.png")).to_contain_text("the same")
    page.reload()
    expect(page.get_by_role("region", name="Results")).to_be_visible()


def test_a_log_is_there_to_read(open_page: OpenPage, ran: Ran) -> None:
    page = open_page(f"/executions/{ran.failed}?tab=logs")
    expect(page.get_by_role("region", name="Log of attempt 1")).not_to_be_empty()


def test_what_was_spent_is_told_and_kept(open_page: OpenPage, ran: Ran) -> None:
    del ran
    page = open_page("/usage?by=model&range=7d")
    figures = page.get_by_role("region", name="Figures")
    expect(figures.get_by_role("row", name=re.compile("demo-hurried"))).to_contain_text("$")
    for by in ("Model", "Agent"):
        page.get_by_text(by, exact=True).first.click()
        figure = page.get_by_role("figure")
        expect(figure).to_contain_text(f"Cost by {by.lower()}")
        expect(figure.get_by_role("row", name=re.compile("hurried"))).to_contain_text("$")
    page.get_by_text("Day", exact=True).first.click()
    expect(page).to_have_url(re.compile("by=day&range=7d"))
    expect(page.get_by_role("figure")).to_be_visible()
    with page.expect_download() as kept:
        page.get_by_role("button", name="Export CSV").click()
    assert kept.value.path().read_text().startswith("\ufeffday,costMicros,requests,")


def test_days_are_typed_on_the_keyboard(open_page: OpenPage) -> None:
    page = open_page("/usage?by=day&from=2026-10-01&to=2026-10-31")
    first, last = page.get_by_label("From"), page.get_by_label("To", exact=True)
    last.focus()
    page.keyboard.type("12312026")
    expect(last).to_have_value("2026-12-31")
    expect(page).to_have_url(re.compile("from=2026-10-01&to=2026-10-31$"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("from=2026-10-01&to=2026-12-31$"))
    first.focus()
    page.keyboard.type("01012027")
    last.focus()
    expect(page.get_by_text("The first day must not come after the last.")).to_be_visible()
    expect(first).to_have_value("2027-01-01")
    expect(first).to_have_attribute("aria-invalid", "true")
    expect(page).to_have_url(re.compile("from=2026-10-01&to=2026-12-31$"))
    page.keyboard.type("01312027")
    first.focus()
    expect(page).to_have_url(re.compile("from=2027-01-01&to=2027-01-31$"))
    expect(first).to_be_focused()
    expect(page.get_by_text("The first day must not come after the last.")).to_have_count(0)


def test_days_are_picked(open_page: OpenPage) -> None:
    page = open_page("/usage?by=day&from=2026-10-01&to=2026-10-31")
    page.get_by_label("From").fill("2025-10-31")
    expect(page).to_have_url(re.compile("from=2025-10-31&to=2026-10-31$"))
    page.get_by_label("From").fill("2025-01-01")
    expect(page.get_by_text("At most 400 days.")).to_be_visible()
    expect(page).to_have_url(re.compile("from=2025-10-31&to=2026-10-31$"))


def test_both_ends_of_a_year_are_told_apart(open_page: OpenPage, ran: Ran) -> None:
    del ran
    page = open_page("/usage")
    today = dt.datetime.now(dt.UTC).date()
    first = today - dt.timedelta(365)
    page.goto(f"{page.url}?by=day&from={first}&to={today}")
    rows = page.get_by_role("figure").get_by_role("row")
    expect(rows.nth(1)).to_contain_text(f"{first.year}")
    expect(rows.last).to_contain_text(f"{today.year}")


def test_what_no_agent_asked_for_has_a_name_in_korean(open_page: OpenPage) -> None:
    page = open_page("/settings", locale="ko-KR")
    usage = {"inputTokens": 1, "outputTokens": 1, "cacheReadTokens": 0, "cacheWriteTokens": 0}
    line = {"key": "", "label": "Chat and keys", "costMicros": 5, "requests": 1, "usage": usage}

    def answer(route: Route) -> None:
        told = route.fetch()
        route.fulfill(response=told, json=told.json() | {"rows": [line], "totalCostMicros": 5})

    page.route("**/api/usage?*", answer)
    page.goto(page.url.replace("/settings", "/usage?by=agent"))
    expect(page.get_by_role("rowheader", name="대화와 키")).to_have_count(2)
    expect(page.get_by_text("Chat and keys")).to_have_count(0)


def test_a_month_is_foreseen_only_from_days_of_history(open_page: OpenPage, ran: Ran) -> None:
    """The books of today alone foresee nothing; those of more days are the gateway's tests."""
    del ran
    page = open_page("/usage")
    facts = page.get_by_label("Facts")
    expect(facts).to_contain_text("Model calls")
    expect(facts).not_to_contain_text("expected")

    def foresee(route: Route) -> None:
        answer = route.fetch()
        forecast = {
            "monthCostMicros": 12_500_000,
            "lowMicros": 9_000_000,
            "highMicros": 16_000_000,
            "text": "",
        }
        route.fulfill(response=answer, json=answer.json() | {"forecast": forecast})

    page.route("**/api/usage?*", foresee)
    page.reload()
    expect(facts).to_contain_text("This month, expected")
    expect(facts).to_contain_text("$12.50 (script) ($9.00 to $16.00)")


def test_what_the_last_runs_cost_is_drawn_beside_an_agent(
    open_page: OpenPage, dev: DevProcess, ran: Ran
) -> None:
    with dev.browser() as client:
        costs = [
            client.get(f"/api/executions/{uid}").json()["costMicros"]
            for uid in (ran.sales, ran.again)
        ]
    page = open_page("/agents")
    sales = page.get_by_role("link", name="sales", exact=True)
    row = page.get_by_role("listitem").filter(has=sales)
    drawn = row.get_by_role("img", name=re.compile(r"Cost of the last runs \(2\)"))
    expect(drawn).to_have_accessible_name(re.compile(f"{max(costs) / 1e6:.4f}"))
    heights = drawn.locator("rect").evaluate_all(
        "all => all.map(each => +each.getAttribute('height'))"
    )
    assert len(heights) == len(costs)
    assert heights == pytest.approx([26 * cost / max(costs) for cost in costs])


def test_who_comes_back_to_a_list_finds_it_as_they_left_it(
    open_page: OpenPage, dev: DevProcess
) -> None:
    with dev.browser() as client:
        for number in range(30):
            client.post("/api/agents", json={"name": f"Draft {number}"}).raise_for_status()
    page = open_page("/agents")
    page.get_by_role("textbox", name="Search by name or description").fill("draft")
    page.get_by_role("link", name="Draft 3", exact=True).scroll_into_view_if_needed()
    page.mouse.wheel(0, 150)
    page.wait_for_function("scrollY > 600")
    before = page.evaluate("scrollY")
    page.get_by_role("link", name="Draft 3", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draft 3")
    page.wait_for_function("scrollY === 0")
    page.go_back()
    expect(page.get_by_role("textbox", name="Search by name or description")).to_have_value("draft")
    page.wait_for_function("before => Math.abs(scrollY - before) < 80", arg=before)
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draft 3")
    page.get_by_role("link", name="Agents", exact=True).last.click()
    page.wait_for_function("scrollY === 0")


def test_a_key_is_shown_once_and_revoked(open_page: OpenPage) -> None:
    page = open_page("/keys")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_text("No keys yet")).to_be_visible()
    page.get_by_label("Name").fill("laptop")
    page.get_by_label("API").check()
    page.get_by_role("button", name="Create key").click()
    made = page.get_by_role("region", name="Your new key")
    key = made.locator("code").inner_text()
    assert len(key) > 20
    made.get_by_role("button", name="I have saved it").click()
    row = page.get_by_role("list", name="Your keys").get_by_role("listitem")
    expect(row).to_contain_text("laptop")
    elsewhere = other.get_by_role("list", name="Your keys").get_by_role("listitem")
    expect(elsewhere).to_contain_text("laptop")
    expect(made).to_have_count(0)
    assert key not in page.content()
    row.get_by_role("button", name="Revoke").click()
    row.get_by_role("button", name="Revoke it").click()
    expect(row).to_contain_text("Revoked")
    expect(elsewhere).to_contain_text("Revoked")


def test_a_secret_goes_in_and_is_never_shown(open_page: OpenPage) -> None:
    page = open_page("/secrets")
    answers: list[str] = []
    page.on(
        "response",
        lambda each: answers.append(each.text()) if "/api/secrets" in each.url else None,
    )
    expect(page.get_by_text("No secrets yet")).to_be_visible()
    page.get_by_label("Name").fill("crm")
    page.get_by_label("Key", exact=True).fill("TOKEN")
    page.get_by_label("Value", exact=True).fill("open-sesame")
    page.get_by_role("button", name="Save secret").click()
    row = page.get_by_role("list", name="Your secrets").get_by_role("listitem")
    expect(row).to_contain_text("TOKEN")
    expect(page.get_by_label("Value", exact=True)).to_have_value("")
    row.get_by_role("button", name="Delete").click()
    row.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("No secrets yet")).to_be_visible()
    assert answers
    assert not any("open-sesame" in each for each in answers)


def test_all_of_mine_is_kept_as_a_zip(open_page: OpenPage, ran: Ran) -> None:
    del ran
    page = open_page("/settings")
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download").click()
    assert kept.value.suggested_filename.endswith(".zip")


def test_nothing_is_deleted_before_the_word_is_typed(open_page: OpenPage) -> None:
    page = open_page("/settings")
    sent: list[Request] = []

    def take(route: Route) -> None:
        if route.request.method == "DELETE":
            sent.append(route.request)
            route.fulfill(status=202, json={})
        else:
            route.continue_()

    page.route("**/api/me", take)
    page.get_by_role("button", name="Delete all my data").click()
    confirm = page.get_by_role("button", name="Delete everything")
    word = page.get_by_label("Type delete all to confirm")
    word.fill("delete")
    expect(confirm).to_be_disabled()
    word.press("Enter")
    word.fill("delete all")
    confirm.click()
    expect(page.get_by_text("All your data is being deleted")).to_be_visible()
    # A guest of a laptop has nobody else's things to lose, but the next tests need them.
    assert [each.post_data_json for each in sent] == [{"confirm": "delete everything"}]


def pages_of(runs: int, like: dict[str, object]) -> Iterator[list[dict[str, object]]]:
    """So many runs, the newest first, as pages of the list."""
    for first in range(0, runs, 50):
        yield [
            {
                **like,
                "id": f"run-{number}",
                "createdTime": f"2026-01-01T{23 - number // 3600:02}:{59 - number // 60 % 60:02}:"
                f"{59 - number % 60:02}Z",
            }
            for number in range(first, first + 50)
        ]


def test_a_list_of_very_many_runs_draws_what_is_near(
    open_page: OpenPage, dev: DevProcess, ran: Ran
) -> None:
    with dev.browser() as client:
        like = client.get(f"/api/executions/{ran.sales}").json()
    pages = list(pages_of(10_000, like))

    def answer(route: Route) -> None:
        at = int((re.findall(r"cursor=(\d+)", route.request.url) or ["0"])[0])
        following = str(at + 1) if at + 1 < len(pages) else None
        route.fulfill(json={"items": pages[at], "next": following})

    page = open_page("/settings")
    page.route("**/api/executions?*", answer)
    page.get_by_role("link", name="Runs").click()
    rows = page.get_by_role("main").get_by_role("listitem")
    expect(rows.first).to_be_visible()
    page.wait_for_function(
        """() => {
            scrollTo(0, document.documentElement.scrollHeight);
            return document.body.innerText.includes("End of the list");
        }""",
        polling=100,
    )
    expect(page.get_by_text("End of the list")).to_be_visible()
    expect(page.locator('a[href="/executions/run-9999"]')).to_be_visible()
    expect(page.locator('a[href="/executions/run-400"]')).to_have_count(0)
    assert rows.count() <= 200
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator('a[href="/executions/run-0"]')).to_be_visible()
