"""What an agent writes is a stranger's: read, never run, and it calls nobody."""

import shlex
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from support.dev_agents import run_script
from support.dev_process import DevProcess

from .conftest import OpenPage

HOSTILE = """# Good news

<script>document.title = "owned"</script>
<img src="x" onerror="document.title = 'owned'">
<svg onload="document.title = 'owned'"><script>document.title = "owned"</script></svg>
<iframe src="https://spy.example/frame"></iframe>
<style>body { background: url(https://spy.example/style) }</style>
<a href="javascript:document.title='owned'" onclick="document.title='owned'">raw</a>
<form action="https://spy.example/form"><input name="password"></form>

[script](javascript:document.title='owned') [spaced](java\tscript:document.title='owned')
[upper](JAVASCRIPT:document.title='owned') [entity](&#106;avascript:document.title='owned')
[data](data:text/html,<script>parent.document.title='owned'</script>) [vb](vbscript:owned)
<javascript:document.title='owned'> [file](file:///etc/passwd)

![pixel](https://spy.example/pixel.png) ![near](//spy.example/pixel.png)
![inline](data:image/svg+xml,<svg onload="alert(1)"/>) ![drawing](drawing.svg) ![page](page.html)

[outside](https://example.com/read)
"""
MARKUP = '<svg xmlns="http://www.w3.org/2000/svg"><script>top.document.title="owned"</script></svg>'
FILES = {"words.md": HOSTILE, "drawing.svg": MARKUP, "page.html": f"<html>{MARKUP}</html>"}

RUNS_OR_FETCHES = "script, iframe, svg, style, form, input, object, embed, img"
HANDLERS = """words => [...words.querySelectorAll("*")].flatMap(
    element => element.getAttributeNames().filter(name => name.startsWith("on")))"""
ADDRESSES = """words => [...words.querySelectorAll("[href]")].map(
    link => link.getAttribute("href"))"""


@pytest.fixture(scope="module")
def written(dev: DevProcess) -> str:
    """A run that wrote `FILES`."""
    write = "; ".join(f"printf %s {shlex.quote(text)} > {name}" for name, text in FILES.items())
    return run_script(dev, "stranger", write)


def test_a_page_of_markdown_runs_nothing_and_calls_nobody(
    open_page: OpenPage, dev: DevProcess, written: str
) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{dev.url}/executions/{written}?tab=files")
    page.get_by_role("link", name="words.md").first.click()
    words = page.get_by_role("heading", name="Good news").locator("..")
    expect(words).to_contain_text("[pixel] [near]")
    assert words.locator(RUNS_OR_FETCHES).count() == 0
    assert words.evaluate(HANDLERS) == []
    addresses = words.evaluate(ADDRESSES)
    assert addresses == ["https://example.com/read"]  # what leads nowhere is no link
    outside = words.get_by_role("link", name="outside")
    expect(outside).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(page).to_have_title("stranger · Succeeded · Heliostat")
    assert {urlsplit(address).netloc for address in asked} == {urlsplit(dev.url).netloc}


@pytest.mark.parametrize("name", ["drawing.svg", "page.html"])
def test_markup_is_never_a_page_of_ours(
    open_page: OpenPage, dev: DevProcess, written: str, name: str
) -> None:
    page = open_page(f"/executions/{written}?tab=files")
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_text("This type of file is not shown here")).to_be_visible()
    with dev.browser() as client:
        files = client.get(f"/api/executions/{written}/files").json()["items"]
        found = next(file["id"] for file in files if file["path"] == name)
        answer = client.get(f"/api/executions/{written}/files/{found}")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
