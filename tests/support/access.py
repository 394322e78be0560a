"""Whether a page is open to everybody: axe finds nothing, and it fits phones and wide screens."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

# The library's dialogs begin with a <header>, which axe takes for a second banner of the page.
_WITHIN = {"rules": {"landmark-no-duplicate-banner": {"enabled": False}}}


def check_access(page: Page, within: str | None = None) -> None:
    """As it is shown now, all of it or what a selector finds."""
    found = Axe().run(page, within, None if within is None else _WITHIN)
    assert found.violations_count == 0, found.generate_report()


def check_widths(page: Page) -> None:
    """Nothing is wider than the window; leaves it wide."""
    for width in (360, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url


def check_open_to_everybody(page: Page, within: str | None = None) -> None:
    """Light, dark, and at both widths."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        check_access(page, within)
    check_widths(page)
