"""Fixtures live in tests/support; every level sees them."""

import gc
import os

import pytest

from support.sampling import SEED, read_seed, tries_all

pytest_plugins = ["support.fixtures"]


def pytest_configure() -> None:
    """Workers and what they start sample by the same seed."""
    os.environ[SEED] = read_seed()


def pytest_collection_finish() -> None:
    """What is there now stays: to look through it at each collection took a tenth of all time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Also of a quiet run."""
    rows = "all rows" if tries_all() else f"a part of the rows, {SEED}={os.environ[SEED]}"
    terminalreporter.write_line(f"exhaustive matrices: {rows}")
