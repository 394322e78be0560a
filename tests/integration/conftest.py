"""The longest files begin first: no worker is left with one of them while the others have ended."""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


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
