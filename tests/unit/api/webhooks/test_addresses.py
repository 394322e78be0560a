"""Addresses of receivers."""

import pytest

from heliostat_api.webhooks.addresses import AddressError, place_of


def test_an_address_in_parts() -> None:
    place = place_of("https://Hooks.example:8443/a/b?c=d#e")
    assert (place.host, place.port, place.target) == ("hooks.example", 8443, "/a/b?c=d")
    assert place_of("https://hooks.example").target == "/"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "file:///etc",
        "https://",
        "https://a b",
        "https://a:0",
        "https://a:99999",
        "https://u:p@a",
        "https://ä.example",
        "https://a/" + "x" * 2000,
        "https://a\r\nHost: b",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(AddressError):
        place_of(url)
