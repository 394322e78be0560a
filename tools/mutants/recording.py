"""A plugin of pytest that writes which test passes which line, and how long each takes.

Loaded by `-p` in each worker of pytest-xdist before anything of ours is imported; coverage_map
reads what each leaves in the folder that FOLDER names.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import TypedDict

import coverage
import pytest

from tools.machine import ROOT
from tools.mutants.areas import package_roots

FOLDER = "MUTANTS_FOLDER"
RECORDS = "record-*.json"
BETWEEN = ""  # lines that ran while modules were imported, or between tests


class Record(TypedDict):
    """What the tests of one process did."""

    seconds: dict[str, float]
    failed: list[str]
    lines: dict[str, dict[str, list[int]]]  # by test and file


class Recorder:
    """Measures from the start of its process to the end of its session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self.measured = coverage.Coverage(
            data_file=str(folder / f"{os.getpid()}.coverage"),
            include=[f"{path}/heliostat_*/*" for path in package_roots()],
            config_file=False,
        )
        self.measured.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fixtures count as their test's, and so does what another test had computed before."""
        for cached in list(_caches()):
            cached.cache_clear()
        self.measured.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self.measured.switch_context(BETWEEN)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.measured.stop()
        record: Record = {
            "seconds": self.seconds,
            "failed": self.failed,
            "lines": self._lines(),
        }
        path = self.folder / RECORDS.replace("*", str(os.getpid()))
        path.write_text(json.dumps(record))

    def _lines(self) -> dict[str, dict[str, list[int]]]:
        """By test and file."""
        data = self.measured.get_data()
        found: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for path in data.measured_files():
            name = Path(path).relative_to(ROOT).as_posix()
            for line, tests in sorted(data.contexts_by_lineno(path).items()):
                for test in tests:
                    found[test][name].append(line)
        return {test: dict(files) for test, files in found.items()}


def _caches() -> Iterator["_lru_cache_wrapper[object]"]:
    """Functions of ours that remember their results."""
    for name, module in list(sys.modules.items()):
        if name.startswith("heliostat_"):
            for each in list(vars(module).values()):
                if isinstance(each, _lru_cache_wrapper):
                    yield each


def _records() -> bool:
    """Whether this is a worker of a session that is recorded: its controller runs no test."""
    return FOLDER in os.environ and "PYTEST_XDIST_WORKER" in os.environ


_RECORDER = Recorder(Path(os.environ[FOLDER])) if _records() else None


def pytest_configure(config: pytest.Config) -> None:
    if _RECORDER:
        config.pluginmanager.register(_RECORDER, "heliostat-recorder")
