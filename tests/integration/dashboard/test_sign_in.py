"""Signing in and out in the dashboard, at a real provider of OpenID Connect."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import BrowserContext, expect

from heliostat_api.settings import ApiSettings
from support.oidc import CLIENT, stock_provider
from support.ports import free_port
from support.shared_api import api_app

from .conftest import Complaints


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
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
            yield address


def test_a_guest_signs_in_with_all_that_they_have_and_out_again(
    url: str, profile: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    context = profile()
    context.route("https://**", lambda route: route.abort())  # the provider's page has a style
    page = context.new_page()
    complaints.follow(page)
    page.goto(f"{url}/agents")
    page.get_by_role("button", name="New agent").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Morning report")
    page.get_by_role("dialog").get_by_role("button", name="Create draft").click()
    expect(page.get_by_role("heading", level=1, name="Morning report")).to_be_visible()

    page.goto(f"{url}/settings")
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_placeholder("sub").fill("ann")
    page.get_by_role("button", name="Authorize").click()
    expect(page).to_have_url(f"{url}/settings")
    expect(page.get_by_role("main").get_by_text("Signed in", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)
    page.goto(f"{url}/agents")
    expect(page.get_by_role("main").get_by_text("Morning report")).to_be_visible()

    page.goto(f"{url}/settings")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    page.goto(f"{url}/agents")
    expect(page.get_by_role("button", name="New agent")).to_be_visible()
    expect(page.get_by_text("Morning report")).to_have_count(0)
