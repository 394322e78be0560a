"""Fixtures live in tests/support; every level sees them."""

import os

import pytest

from support.sampling import ALL, SEED, read_seed

pytest_plugins = ["support.fixtures"]


def pytest_configure() -> None:
    """Workers and what they start sample by the same seed."""
    os.environ[SEED] = read_seed()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Also of a quiet run."""
    rows = "all rows" if os.environ.get(ALL) else f"a part of the rows, {SEED}={os.environ[SEED]}"
    terminalreporter.write_line(f"exhaustive matrices: {rows}")
