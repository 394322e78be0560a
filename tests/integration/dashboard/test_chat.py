"""From a person's words to an agent at work, as they see it. A script plays the designer."""

import re
import signal
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from support.access import check_access, check_widths
from support.dev_process import DevProcess, running_dev

from .conftest import OpenPage

KOREAN = "매일 18:00에 오늘 한 일을 정리해 줘. 이름은 '하루 정리'로 해 줘."


def card(page: Page, name: str = "Agent") -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def answers(page: Page, name: str = "Assistant") -> Locator:
    return page.get_by_role("article", name=name)


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def settled(page: Page) -> str:
    """What was said, once nothing is being written; times aside."""
    expect(log(page)).to_have_attribute("aria-busy", "false")
    expect(answers(page).last).to_contain_text("I ask for a test run.")
    words = re.sub(r"now|\d+ (sec|min)\. ago", "", log(page).inner_text())
    return " ".join(words.split())


def say(page: Page, text: str, field: str = "Your message") -> None:
    page.get_by_role("textbox", name=field).fill(text)
    page.keyboard.press("Enter")


def test_one_press_becomes_an_agent_that_the_person_puts_to_work(
    open_page: OpenPage, dev: DevProcess
) -> None:
    page = open_page("/")
    page.get_by_role("button", name=re.compile("Weekly report")).click()
    page.wait_for_url("**/chat/*")
    expect(page.get_by_role("article", name="You")).to_contain_text("Every Monday at 9:00")
    expect(answers(page)).to_contain_text("No model answers here")
    expect(page.get_by_role("button", name="Stop the answer")).to_be_visible()
    about = card(page)
    expect(about.get_by_role("heading", name="Weekly report")).to_be_visible()
    expect(about).to_contain_text("Monday at 09:00")
    expect(about).to_contain_text("Succeeded")
    expect(about).to_contain_text("on average")
    said = settled(page)
    expect(answers(page)).to_contain_text("$0.")

    page.reload()
    assert settled(page) == said
    tab = page.context.new_page()
    tab.goto(page.url)
    assert settled(tab) == said
    check_access(page)

    abroad = open_page(page.url.removeprefix(dev.url), zone="Asia/Seoul")
    times = card(abroad).get_by_role("list", name="Next times")
    expect(times).to_contain_text("18:00")
    expect(times).to_contain_text(re.compile("09:00.* UTC"))
    abroad.close()

    about.get_by_role("button", name="Activate").click()
    asked = page.get_by_role("dialog", name="Weekly report")
    expect(asked).to_contain_text("$5.00")
    expect(asked).to_contain_text("Bash")
    expect(asked).to_contain_text("Monday")
    asked.get_by_role("button", name="Activate").click()
    expect(about).to_contain_text("Ready")
    expect(card(tab)).to_contain_text("Ready")
    expect(about.get_by_role("button", name="Deactivate")).to_be_visible()

    about.get_by_role("link", name="Open", exact=True).click()
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url("**/executions/*")
    expect(page.locator("main").get_by_text("Succeeded", exact=True)).to_be_visible()
    expect(page.get_by_text("Your request is saved in report.md").first).to_be_visible()


def test_a_connection_that_breaks_in_the_middle_of_an_answer_loses_nothing(
    open_page: OpenPage,
) -> None:
    page = open_page("/chat")
    carried: list[tuple[WebSocketRoute, WebSocketRoute]] = []

    def carry(route: WebSocketRoute) -> None:
        carried.append((route, route.connect_to_server()))

    page.route_web_socket(re.compile("/workspace/"), carry)
    page.reload()
    say(page, "Every day at 8:00, count the clouds. Call it Cloud count.")
    expect(page.get_by_role("button", name="Stop the answer")).to_be_visible()
    expect(answers(page)).to_contain_text("No model answers here")
    for end in carried[-1]:
        end.close()
    said = settled(page)
    expect(answers(page)).to_have_count(1)
    assert len(carried) > 1
    tab = page.context.new_page()
    tab.goto(page.url)
    assert settled(tab) == said


def test_an_answer_that_was_cut_off_goes_on_when_it_is_asked_to(
    chromium: Browser, tmp_path: Path
) -> None:
    with running_dev(tmp_path) as dev:
        page = chromium.new_context(locale="en-US").new_page()
        page.goto(f"{dev.url}/chat")
        say(page, "Every day at 9:00, count the birds. Call it Bird count.")
        expect(page.get_by_role("button", name="Stop the answer")).to_be_visible()
        expect(answers(page)).to_contain_text("No model answers here")
        dev.end(signal.SIGKILL)
        dev.start()
        expect(answers(page)).to_contain_text("The server that answered went away", timeout=60_000)
        page.get_by_role("button", name="Continue the answer").click()
        settled(page)
        expect(answers(page)).to_have_count(1)
        expect(answers(page)).to_contain_text("I am a script")
        expect(page.get_by_role("button", name="Continue the answer")).to_have_count(0)
        page.context.close()


def test_in_korean_on_a_telephone_in_the_dark(open_page: OpenPage) -> None:
    page = open_page("/chat", width=360, locale="ko-KR", zone="Asia/Seoul", scheme="dark")
    field = page.get_by_role("textbox", name="메시지")
    field.fill(KOREAN)
    field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(field).to_have_value(KOREAN)
    field.press("Enter")
    page.wait_for_url("**/chat/*")
    expect(page.get_by_role("article", name="나")).to_contain_text(KOREAN)
    about = card(page, "에이전트")
    expect(about.get_by_role("heading", name="하루 정리")).to_be_visible()
    expect(about).to_contain_text("매일 18:00")
    expect(about).to_contain_text("성공")
    expect(log(page)).to_have_attribute("aria-busy", "false")
    check_access(page)
    check_widths(page)


def test_an_answer_is_stopped_and_a_conversation_is_renamed_and_deleted(
    open_page: OpenPage,
) -> None:
    page = open_page("/chat", width=1600)
    say(page, "Every day at 7:00, count the stars. Call it Star count.")
    page.get_by_role("button", name="Stop the answer").click()
    expect(answers(page)).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.get_by_role("button", name=re.compile("More actions for Every day at 7:00")).click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("textbox", name="New name").fill("Stars")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Stars")).to_be_visible()
    page.get_by_role("button", name="More actions for Stars").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_url("**/chat")
    expect(page.get_by_role("link", name=re.compile("Stars"))).to_have_count(0)


def test_the_first_words_have_a_page_for_everybody(open_page: OpenPage) -> None:
    page = open_page("/chat")
    expect(page.get_by_role("region", name="Start with an example")).to_be_visible()
    check_access(page)
    check_widths(page)
    page.goto(page.url + "/conversation-000000000000000000000000")
    expect(page.get_by_text("There is no such conversation")).to_be_visible()


def test_what_is_not_sent_yet_stays_with_its_conversation(open_page: OpenPage) -> None:
    page = open_page("/chat")
    field = page.get_by_role("textbox", name="Your message")
    say(page, "Every day at 8:00, count the drafts. Call it Draft count.")
    page.wait_for_url("**/chat/*")
    settled(page)
    expect(field).to_have_value("")
    field.fill("half a thought")
    conversation = page.url
    page.get_by_role("link", name="Runs").first.click()
    expect(page.get_by_role("heading", level=1, name="Runs")).to_be_visible()
    page.goto(conversation.rpartition("/")[0])
    expect(field).to_have_value("")
    field.fill("another one")
    page.goto(conversation)
    expect(field).to_have_value("half a thought")
    page.reload()
    expect(field).to_have_value("half a thought")
    page.keyboard.press("Control+A")
    say(page, "every day at 9:00")
    expect(field).to_have_value("")
    page.reload()
    expect(log(page)).to_contain_text("every day at 9:00")
    expect(field).to_have_value("")
    page.goto(conversation.rpartition("/")[0])
    expect(field).to_have_value("another one")


def test_a_session_that_is_gone_is_seen_before_the_next_word(open_page: OpenPage) -> None:
    page = open_page("/chat")
    sent: list[str] = []
    page.on("websocket", lambda each: each.on("framesent", lambda text: sent.append(str(text))))
    page.reload()
    field = page.get_by_role("textbox", name="Your message")
    expect(field).to_be_visible()
    page.context.clear_cookies()
    field.fill("Every day at 8:00, count the ghosts. Call it Ghost count.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="What is going on")).to_contain_text("session")
    expect(field).to_have_count(0)
    assert not any("ghosts" in each for each in sent)
    assert "ghosts" not in page.evaluate("JSON.stringify(sessionStorage)")


def test_money_of_the_script_is_never_taken_for_real(open_page: OpenPage) -> None:
    page = open_page("/chat")
    say(page, "Every day at 8:00, count the coins. Call it Coin count.")
    page.wait_for_url("**/chat/*")
    settled(page)
    expect(answers(page).last).to_contain_text(re.compile(r"\$[\d.]+ \(script\)"))
    origin = re.sub(r"/chat/.*", "", page.url)
    for path in ("/executions", "/usage", "/settings"):
        page.goto(f"{origin}{path}")
        main = page.locator("main")
        expect(main.get_by_text(re.compile(r"\(script\)")).first).to_be_visible()
        shown = main.inner_text()
        assert re.findall(r"\$[\d,.]+(?!\s?\(script\))(?![\d,.])", shown) == [], path
