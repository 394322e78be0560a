"""Signing in and out in the dashboard, at a real provider of OpenID Connect."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import BrowserContext, Page, expect

from heliostat_api.app.settings import ApiSettings
from support.oidc import CLIENT, stock_provider
from support.ports import free_port
from support.shared_api import ApiApp, api_app

from .conftest import Complaints


@dataclass(frozen=True)
class Served:
    """An api with a provider to sign in at."""

    url: str
    api: ApiApp
    portal: BlockingPortal

    def give_run(self, owner: str) -> str:
        """The id of a run of theirs."""
        return self.portal.call(self.api.give_execution, owner)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with stock_provider() as issuer, start_blocking_portal() as portal:
        port = free_port()
        settings = ApiSettings.model_validate(
            {
                "oidc_issuer": issuer,
                "oidc_client_id": CLIENT,
                "oidc_client_secret": "a secret of ours",
                "public_url": f"http://127.0.0.1:{port}",
            }
        )
        with (
            portal.wrap_async_context_manager(api_app(tmp_path, settings)) as api,
            portal.wrap_async_context_manager(api.serving(port)) as address,
        ):
            yield Served(address, api, portal)


@pytest.fixture
def browser_profile(profile: Callable[..., BrowserContext]) -> BrowserContext:
    context = profile()
    context.route("https://**", lambda route: route.abort())  # the provider's page has a style
    return context


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/settings")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_placeholder("sub").fill("ann")
    page.get_by_role("button", name="Authorize").click()
    expect(page).to_have_url(f"{url}/settings")
    expect(page.get_by_role("main").get_by_text("Signed in", exact=True)).to_be_visible()


def sign_out(page: Page, url: str) -> None:
    page.goto(f"{url}/settings")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()


def test_a_guest_signs_in_with_all_that_they_have_and_out_again(
    served: Served, browser_profile: BrowserContext, complaints: Complaints
) -> None:
    url = served.url
    page = browser_profile.new_page()
    complaints.follow(page)
    page.goto(f"{url}/agents")
    page.get_by_role("button", name="New agent").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Morning report")
    page.get_by_role("dialog").get_by_role("button", name="Create draft").click()
    expect(page.get_by_role("heading", level=1, name="Morning report")).to_be_visible()

    page.goto(f"{url}/settings")
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    sign_in(page, url)
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)
    page.goto(f"{url}/agents")
    expect(page.get_by_role("main").get_by_text("Morning report")).to_be_visible()

    sign_out(page, url)
    page.goto(f"{url}/agents")
    expect(page.get_by_role("button", name="New agent")).to_be_visible()
    expect(page.get_by_text("Morning report")).to_have_count(0)


def two_tabs(profile: BrowserContext, complaints: Complaints) -> tuple[Page, Page]:
    """Of one browser."""
    tabs = profile.new_page(), profile.new_page()
    for each in tabs:
        complaints.follow(each)
    return tabs


def test_nothing_of_a_person_stays_in_another_tab_once_they_signed_out(
    served: Served, browser_profile: BrowserContext, complaints: Complaints
) -> None:
    url = served.url
    page, other = two_tabs(browser_profile, complaints)
    sign_in(page, url)
    person = page.request.get(f"{url}/api/me").json()["id"]
    other.goto(f"{url}/executions/{served.give_run(person)}")
    bar = other.get_by_role("region", name="What is going on")
    expect(bar).to_contain_text("Live")
    title = other.get_by_role("heading", level=1, name="sales")
    expect(title).to_be_visible()

    sign_out(page, url)
    expect(bar).to_contain_text("Your session has ended")
    expect(title).to_have_count(0)
    expect(other.get_by_role("main").get_by_role("alert")).to_contain_text("session has ended")

    page.goto(url)  # as somebody new
    expect(page.get_by_role("heading", level=1, name="Put an agent to work")).to_be_visible()
    expect(other.get_by_text("There is no such run, or it belongs to")).to_be_visible()
    expect(bar).to_contain_text("Live")
    expect(other.get_by_text("sales")).to_have_count(0)


def test_a_tab_of_a_guest_follows_who_signs_in_in_another(
    served: Served, browser_profile: BrowserContext, complaints: Complaints
) -> None:
    url = served.url
    other, page = two_tabs(browser_profile, complaints)
    other.goto(f"{url}/settings")
    expect(other.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    sign_in(page, url)
    expect(other.get_by_role("main").get_by_text("Signed in", exact=True)).to_be_visible()
