"""The longest files begin first: no worker is left with one of them while the others have ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.machine import SELDOM

_HERE = Path(__file__).parent
_NO_AUTHORITY = _HERE / "no_authority.pem"


@pytest.fixture(scope="session", autouse=True)
def _go_collects_seldom() -> Iterator[None]:
    """API servers, etcd and kubectl take a fifth less of the processor, and more memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*SELDOM)
        yield


@pytest.fixture(scope="module", autouse=True)
def _trusts_nobody(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each HTTP client of a test reads the authorities that it trusts, though none speaks TLS with
    a stranger: those of the machine take 25 ms, and thousands of clients are made."""
    with pytest.MonkeyPatch.context() as patch:
        if not hasattr(request.module, "REACHES_OUT"):
            patch.setenv("SSL_CERT_FILE", str(_NO_AUTHORITY))
        yield


def read_seconds() -> dict[str, int]:
    """What files took when somebody last looked; those that took little are not named."""
    lines = (_HERE / "longest.txt").read_text().splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {name: int(seconds) for seconds, name in rows}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seconds = read_seconds()

    def measure(item: pytest.Item) -> int:
        inside = item.path.is_relative_to(_HERE)
        return seconds.get(item.path.relative_to(_HERE).as_posix(), 0) if inside else 0

    items.sort(key=measure, reverse=True)
