"""Output of programs and words of agents as they are: colours, controls, huge lines, tables."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from support.access import check_access
from support.dev_agents import apply_script, run_script
from support.dev_process import DevProcess

from .conftest import Complaints, OpenPage
from .fake_run import ENDED, Event, FakeRun, output, view

HUGE = 3_000_000
TABLE = """
| order | article | amount |
|---|---|---:|
| 12345678901234567890 | internationalisation of everything | 1,234,567.89 |

[evil](javascript:alert(1)) [near](report.md) [far](https://example.com/far) and \u202etxt.exe
"""
INPUT = {"customer": 12345678901234567890, "share": 0.1234567890123456}
LINES: list[Event] = [
    output("\x1b[32mgreen\x1b[0m \x1b[1mbold\x1b[0m"),
    output("\x1b]0;title\x07\x1b[2Kafter"),
    output("photo\u202egpj.exe"),
    output("10%\r100%"),
    output("x" * HUGE),
    output("the end"),
]


def say(text: str) -> Event:
    content = {"type": "text", "text": text}
    return {"type": "assistant", "message": {"id": "words", "content": [content]}}


@pytest.fixture
def run(profile: Callable[..., BrowserContext], complaints: Complaints) -> FakeRun:
    page = profile(width=700).new_page()
    complaints.follow(page)
    return FakeRun(page, [*LINES, say(TABLE)], view(**ENDED))


def lines_of(box: Locator) -> list[str]:
    return box.inner_text().splitlines()


@pytest.mark.parametrize("tab", ["", "?tab=logs"])
def test_output_is_shown_as_a_terminal_would(run: FakeRun, dev: DevProcess, tab: str) -> None:
    run.open(dev, tab)
    box = run.page.locator("pre").filter(has_text="green bold")
    expect(run.page.get_by_text("the end", exact=True)).to_be_visible()
    shown = lines_of(box)
    assert shown[:4] == ["green bold", "after", "photo⟨U+202E⟩gpj.exe", "100%"]
    assert len(box.inner_text()) < 10_000
    colour = "span => getComputedStyle(span).color"
    green = box.get_by_text("green", exact=True).evaluate(colour)
    assert green != box.evaluate("box => getComputedStyle(box).color")
    check_access(run.page)
    box.get_by_role("button", name=re.compile("Show more")).click()
    expect(box).to_contain_text("x" * 20_000)


def test_a_table_keeps_its_words_whole_and_only_links_look_like_links(
    run: FakeRun, dev: DevProcess
) -> None:
    run.open(dev)
    cell = run.page.get_by_role("cell", name="12345678901234567890")
    expect(cell).to_be_visible()
    height = "cell => cell.getClientRects()[0].height / parseFloat(getComputedStyle(cell).fontSize)"
    assert float(cell.evaluate(height)) < 3
    assert float(run.page.get_by_role("cell", name="1,234,567.89").evaluate(height)) < 3
    expect(run.page.get_by_role("link", name="far")).to_be_visible()
    for name in ("evil", "near"):
        word = run.page.get_by_text(name, exact=True)
        expect(word).to_be_visible()
        assert word.evaluate("word => word.closest('a')") is None
    expect(run.page.get_by_text("⟨U+202E⟩txt.exe")).to_be_visible()


def test_numbers_of_json_are_shown_as_they_are_written(
    open_page: OpenPage, dev: DevProcess
) -> None:
    uid = run_script(dev, "numbers", """printf '{"id":12345678901234567890,"n":1.10}' > n.json""")
    page = open_page(f"/executions/{uid}?tab=files")
    shown = page.locator("pre").filter(has_text="id")
    expect(shown).to_have_text('{\n  "id": 12345678901234567890,\n  "n": 1.10\n}')


def test_the_log_of_a_run_grows_while_it_is_looked_at(open_page: OpenPage, dev: DevProcess) -> None:
    """Here nothing is faked: lines come from a program, by its runner and the stream."""
    with dev.browser() as client:
        script = "n=0; while [ $n -lt 900 ]; do n=$((n+1)); echo tick $n; sleep 0.2; done"
        apply_script(dev, "ticker", script)
        agents = client.get("/api/agents").json()["items"]
        agent = next(each["id"] for each in agents if each["name"] == "ticker")
        uid = client.post(f"/api/agents/{agent}/run", json={}).json()["execution"]
        page = open_page(f"/executions/{uid}?tab=logs")
        expect(page.locator("pre")).to_contain_text("tick 3")
        expect(page.locator("pre").last).to_contain_text("tick 12")
        client.post(f"/api/executions/{uid}/cancel", json={})
        expect(page.locator("main").get_by_text("Cancelled").first).to_be_visible()


def test_a_tools_input_shows_integers_as_they_came(
    profile: Callable[..., BrowserContext], complaints: Complaints, dev: DevProcess
) -> None:
    page = profile().new_page()
    complaints.follow(page)
    content = {"type": "tool_use", "id": "call-1", "name": "mcp__crm__find", "input": INPUT}
    asked: Event = {"type": "assistant", "message": {"id": "asked", "content": [content]}}
    FakeRun(page, [asked], view(**ENDED)).open(dev)
    page.get_by_text("mcp__crm__find").first.click()
    shown = page.locator("pre", has_text='"customer"')
    expect(shown).to_contain_text('"customer": 12345678901234567890')
    expect(shown).to_contain_text('"share": 0.1234567890123456')
