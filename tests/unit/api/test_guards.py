"""Foreign hosts and origins: refused before any endpoint."""

import pytest
from starlette.datastructures import Headers

from heliostat_api.serving.guards import host_name, is_own_origin


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8080", "127.0.0.1"),
        ("localhost", "localhost"),
        ("[::1]:8080", "[::1]"),
        ("", ""),
        ("evil.example:8080", "evil.example"),
    ],
)
def test_a_host_is_known_by_its_name(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"origin": "http://localhost:8080", "cookie": "a=b"}, True),
        ({"origin": "http://evil.example", "cookie": "a=b"}, False),
        ({"origin": "http://localhost:8081"}, False),
        ({"origin": "null"}, False),
        ({"cookie": "a=b"}, False),
        ({"authorization": "Bearer key"}, True),
        ({}, True),
    ],
)
def test_a_write_comes_from_our_own_pages_or_from_a_program(
    headers: dict[str, str], own: bool
) -> None:
    assert is_own_origin(Headers(headers), "localhost:8080") is own
