"""A real Chromium in front of a real `heliostat dev`."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from heliostat_api.app.pages import STATIC
from support.dev_process import DevProcess, running_dev

# The shell has no window, and so takes a third less of the processor.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WAIT_MS = 90_000  # whole runs of Claude Code, on a busy machine
expect.set_options(timeout=WAIT_MS)
_NAVIGATIONS = 5


@dataclass
class Complaints:
    """What the browser complained about. Requests that a test lets fail are none."""

    said: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.said.append(message.text)


OpenPage = Callable[..., Page]
"""Opens a page of a fresh browser profile; options are those of `Browser.new_context`."""


_NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"


def _persistent(navigate: Callable[..., Response | None]) -> Callable[..., Response | None]:
    """Navigates again when Chromium broke off the page, or what it begins with, because the machine
    got another interface: the pods of the tests that run beside these have one each."""

    @wraps(navigate)
    def to(page: Page, *args: object, **options: object) -> Response | None:
        for _ in range(_NAVIGATIONS - 1):
            try:
                with _lost_by(page) as lost:
                    response = navigate(page, *args, **options)
            except Error as error:
                if _NETWORK_CHANGED not in error.message:
                    raise
            else:
                if not lost:
                    return response
        return navigate(page, *args, **options)

    return to


@contextmanager
def _lost_by(page: Page) -> Iterator[list[str]]:
    """The scripts and styles that a page lost meanwhile: without them it stays empty."""
    lost: list[str] = []

    def note(request: Request) -> None:
        is_needed = request.resource_type in ("script", "stylesheet")
        if is_needed and _NETWORK_CHANGED in (request.failure or ""):
            lost.append(request.url)

    page.on("requestfailed", note)
    try:
        yield lost
    finally:
        page.remove_listener("requestfailed", note)


@pytest.fixture(scope="session", autouse=True)
def _navigates_again() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Page, "goto", _persistent(Page.goto))
        patch.setattr(Page, "reload", _persistent(Page.reload))
        yield


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ends with its module: while it runs, no other event loop can run in this thread."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(
            "no Chromium on this machine. Remedy: apt-get install chromium-headless-shell"
            " fonts-noto-cjk (or put google-chrome on the PATH)"
        )
    if not (STATIC / "index.html").exists():
        pytest.skip("the dashboard is not built. Remedy: make dashboard")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=sandbox)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def dev(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevProcess]:
    del chromium  # no server where nobody looks
    with running_dev(tmp_path_factory.mktemp("dev")) as started:
        yield started


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Any error of a script and any violation of the policy fails the test."""
    heard = Complaints()
    yield heard
    assert heard.said == []


@pytest.fixture
def profile(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser profiles: a person each."""
    contexts: list[BrowserContext] = []

    def make(width: int = 1280, height: int = 800, **options: str) -> BrowserContext:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale=options.get("locale", "en-US"),
            timezone_id=options.get("zone", "UTC"),
            color_scheme="dark" if options.get("scheme") == "dark" else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        with suppress(Exception):
            context.close()


@pytest.fixture
def open_page(
    profile: Callable[..., BrowserContext], complaints: Complaints, dev: DevProcess
) -> OpenPage:
    """A page of a new profile, at an address of the dev server."""

    def open_at(path: str = "/", width: int = 1280, **options: str) -> Page:
        page = profile(width, **options).new_page()
        complaints.follow(page)
        page.goto(f"{dev.url}{path}")
        return page

    return open_at
